import { VarveError } from '../errors.ts'

export const MAX_POINTER_BYTES = 1024 * 1024

/** One top-level key and all its lines, as they stand, each with its LF. */
export type PointerBlock = { key: string; text: string }

/**
 * The lines of a pointer, without their LF; `CR LF` counts as LF.
 * @throws CONFLICT for a file with conflict markers, HOSTILE for one over 1 MiB, MALFORMED for one that is no lines of text.
 */
export function readPointerLines(text: string, where: string): string[] {
  if (text.length > MAX_POINTER_BYTES || Buffer.byteLength(text) > MAX_POINTER_BYTES) {
    throw new VarveError('HOSTILE', `${where}: larger than the 1 MiB that a pointer may have`, {
      hint: 'Check that this file is a pointer, and not the data itself.',
    })
  }
  const lines = text.replaceAll('\r\n', '\n').split('\n')
  const conflict = lines.findIndex((line) => /^(?:<{7}|={7}|>{7}|\|{7})(?: |$)/.test(line))
  if (conflict !== -1) {
    throw new VarveError(
      'CONFLICT',
      `${where}, line ${conflict + 1}: a merge left this pointer in conflict`,
      {
        hint: 'Take one side with `git checkout --ours` or `--theirs` on it, or run `varve add` again on the merged data.',
      },
    )
  }
  for (const [index, line] of lines.entries()) {
    const problem = lineProblem(line)
    if (problem !== undefined) throw malformedPointer({ where, line: index + 1, why: problem })
  }
  if (lines.pop() !== '') {
    throw malformedPointer({ where, line: lines.length + 1, why: 'no line feed at the end of the file' })
  }
  return lines
}

/**
 * Cuts lines into blocks, each a key at the margin and what is indented below it (or is a `- ` item at the margin).
 * @throws MALFORMED for any other line at the margin, a key that comes twice, or an empty line at the end.
 */
export function splitPointerBlocks(
  lines: readonly string[],
  options: { where: string; firstLine: number },
): PointerBlock[] {
  const blocks: PointerBlock[] = []
  const seen = new Set<string>()
  const fail = (index: number, why: string): never => {
    throw malformedPointer({ where: options.where, line: options.firstLine + index, why })
  }
  for (const [index, line] of lines.entries()) {
    const key = /^([A-Za-z_][A-Za-z0-9_.-]*):(?: |$)/.exec(line)?.[1]
    if (key !== undefined) {
      if (seen.has(key)) fail(index, `the key "${key}" comes twice`)
      seen.add(key)
      blocks.push({ key, text: `${line}\n` })
    } else if (line.startsWith('#')) {
      fail(index, 'a pointer holds no comments')
    } else if (blocks.length > 0 && (line === '' || /^(?: |-(?: |$))/.test(line))) {
      blocks.at(-1)!.text += `${line}\n`
    } else {
      fail(index, line === '' ? 'an empty line' : 'neither a key nor a line that belongs to one')
    }
  }
  if (lines.at(-1) === '') fail(lines.length - 1, 'an empty line at the end')
  return blocks
}

/** A MALFORMED error that names the line. */
export function malformedPointer(options: { where: string; line: number; why: string }): VarveError {
  return new VarveError('MALFORMED', `${options.where}, line ${options.line}: ${options.why}`, {
    hint: 'Restore this pointer with `git checkout`, or run `varve add` again on its data.',
  })
}

function lineProblem(line: string): string | undefined {
  if (line.startsWith('\ufeff')) return 'a byte order mark'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to find
  if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(line)) return 'a control character'
  if (/\p{Surrogate}/u.test(line)) return 'not valid Unicode (a lone surrogate)'
  return undefined
}
