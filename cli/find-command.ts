import { VarveError } from '../core/errors.ts'
import type { CommandEntry } from './command.ts'

export type FoundCommand =
  | { kind: 'command'; entry: CommandEntry; args: string[] }
  /** No command was named: bare `varve`, `varve --help`, or the first word alone of two-word commands. */
  | { kind: 'overview'; prefix: string | undefined; args: string[] }

/** Options that stand before the command's name are moved behind it. @throws USAGE */
export async function findCommand(
  argv: readonly string[],
  commands: readonly CommandEntry[],
): Promise<FoundCommand> {
  const start = skipOptions(argv, 0)
  const first = argv[start]
  if (first === undefined || first === '--') return { kind: 'overview', prefix: undefined, args: [...argv] }
  const leading = argv.slice(0, start)
  const second = argv[start + 1]
  const named = (name: string) => commands.find((entry) => entry.name === name)

  const twoWords = second === undefined ? undefined : named(`${first} ${second}`)
  if (twoWords) return { kind: 'command', entry: twoWords, args: [...leading, ...argv.slice(start + 2)] }
  const oneWord = named(first)
  if (oneWord) return { kind: 'command', entry: oneWord, args: [...leading, ...argv.slice(start + 1)] }

  const seconds = commands
    .filter((entry) => entry.name.startsWith(`${first} `))
    .map((entry) => entry.name.slice(first.length + 1))
  if (seconds.length > 0) {
    if (second === undefined || second.startsWith('-')) {
      return { kind: 'overview', prefix: first, args: [...leading, ...argv.slice(start + 1)] }
    }
    throw await unknownCommand(second, seconds, `${first} `)
  }
  const names = [...new Set(commands.map((entry) => entry.name.split(' ')[0]!))]
  throw await unknownCommand(first, names)
}

/** The index of the first word that is neither an option nor the value of `-C`. */
export function skipOptions(argv: readonly string[], from: number): number {
  let index = from
  for (; index < argv.length; index++) {
    const word = argv[index]!
    if (word === '--' || word === '-' || !word.startsWith('-')) break
    if (word === '-C' || word === '--directory') index++
  }
  return Math.min(index, argv.length)
}

/** `before` is what was typed in front of the word that is no command. */
async function unknownCommand(word: string, known: readonly string[], before = ''): Promise<VarveError> {
  const { suggest } = await import('../core/suggest.ts')
  const suggestion = suggest(word, known)
  const meant = suggestion === undefined ? '' : `; did you mean '${before}${suggestion}'?`
  return new VarveError('USAGE', `unknown command '${before}${word}'${meant}`, {
    hint: "Run 'varve help' to see all commands.",
  })
}
