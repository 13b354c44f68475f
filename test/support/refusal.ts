import { expect } from 'vitest'
import { exitCodeOf } from '../../cli/exit-codes.ts'
import type { ErrorCode } from '../../core/errors.ts'
import { git } from './git-fixture.ts'
import { type RunVarveOptions, runVarve } from './run-varve.ts'
import { treeOf } from './tree-of.ts'

export type Refusal = {
  code: ErrorCode
  /** What the one line says: what is wrong and where. */
  message: RegExp | string
  hint: RegExp | string
}

/**
 * Runs a command that must be refused: its exit code, one line that says why and one that says what to do, nothing
 * of the program's insides, and neither the workspace nor git's index nor any pointer changed.
 */
export async function expectRefusal(
  args: readonly string[],
  options: RunVarveOptions & { root?: string },
  refusal: Refusal,
): Promise<void> {
  const root = options.root ?? options.cwd
  const before = stateOf(root)
  const { stdout, stderr, exitCode, signal } = await runVarve(args, options)
  expect({ exitCode, signal, stdout, stderr }).toEqual({
    exitCode: exitCodeOf[refusal.code],
    signal: null,
    stdout: '',
    stderr: expect.stringMatching(/^varve: [^\n]+\nhint: [^\n]+\n$/),
  })
  const [message, hint] = stderr.split('\n')
  expectText(message!.slice('varve: '.length), refusal.message)
  expectText(hint!.slice('hint: '.length), refusal.hint)
  expect(stateOf(root)).toEqual(before)
}

function expectText(text: string, expected: RegExp | string): void {
  if (typeof expected === 'string') expect(text).toBe(expected)
  else expect(text).toMatch(expected)
}

/** What a refused command must leave alone. Outside git there is only the workspace. */
function stateOf(root: string): unknown {
  const tree = treeOf(root)
  try {
    return { tree, index: git(root, 'ls-files', '--stage'), head: git(root, 'rev-parse', '--all') }
  } catch {
    return { tree }
  }
}
