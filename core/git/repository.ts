import { resolve } from 'node:path'
import { VarveError } from '../errors.ts'
import { runGit } from './run-git.ts'

/** Where a git work tree and its administrative folders lie. All but `prefix` are absolute. */
export type Repository = {
  /** The top folder of this work tree. */
  root: string
  /** The git folder of this work tree: in a linked worktree, a folder of its own. */
  gitDir: string
  /** The git folder that all worktrees of a clone share. */
  commonDir: string
  /** The folder that the user is in, relative to `root`: `''`, or like `sub/folder/`. */
  prefix: string
}

/**
 * Each path stands between two answers that are `false` here, so that a line break in a path does not
 * confuse the reading.
 */
const QUESTIONS = [
  '--is-inside-work-tree',
  '--is-inside-git-dir',
  '--is-bare-repository',
  '--show-toplevel',
  '--is-bare-repository',
  '--absolute-git-dir',
  '--is-bare-repository',
  '--git-common-dir',
  '--is-bare-repository',
  '--show-prefix',
]

const ANSWERS = /^true\nfalse\nfalse\n(.+?)\nfalse\n(.+?)\nfalse\n(.+?)\nfalse\n(.*)\n$/s

/**
 * Finds the git work tree that `cwd` lies in, with one call of git.
 *
 * @throws NOT_A_REPOSITORY outside git, in a bare repository, and inside a `.git` folder.
 */
export async function discoverRepository(cwd: string): Promise<Repository> {
  const text = await ask(cwd, QUESTIONS).catch(async (error: unknown) => {
    throw (await reasonAgainst(cwd)) ?? error
  })
  const answers = ANSWERS.exec(text)
  if (answers === null) {
    throw (await reasonAgainst(cwd)) ?? notARepository(`not inside a git work tree: ${cwd}`)
  }
  const [, root, gitDir, commonDir, prefix] = answers
  return {
    root: resolve(root!),
    gitDir: resolve(gitDir!),
    commonDir: resolve(cwd, commonDir!),
    prefix: prefix!,
  }
}

async function ask(cwd: string, questions: readonly string[]): Promise<string> {
  return (await runGit(cwd, ['rev-parse', ...questions])).stdout.toString('utf8')
}

async function reasonAgainst(cwd: string): Promise<VarveError | undefined> {
  try {
    const answers = await ask(cwd, ['--is-bare-repository', '--is-inside-git-dir'])
    if (answers.startsWith('true')) {
      return notARepository(`a bare git repository has no files to version: ${cwd}`, 'Use a clone of it.')
    }
    if (answers.endsWith('true\n')) {
      return notARepository(`inside a git folder: ${cwd}`, 'Change into the work tree.')
    }
    return undefined
  } catch (cause) {
    if (!(cause instanceof VarveError) || !cause.message.includes('not a git repository')) throw cause
    return notARepository(`not inside a git repository: ${cwd}`, 'Run `git init` first.', cause)
  }
}

function notARepository(message: string, hint?: string, cause?: unknown): VarveError {
  return new VarveError('NOT_A_REPOSITORY', message, { hint, cause })
}
