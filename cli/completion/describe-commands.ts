import type { CommandEntry, OptionSpec } from '../command.ts'
import { globalOptions } from '../global-options.ts'
import { flagNameOf } from '../parse-arguments.ts'

/** What a shell must know of a command to complete it. */
export type CompletableCommand = {
  name: string
  summary: string
  flags: readonly CompletableFlag[]
  /** The words that the first positional is chosen from; where there are none, paths are completed. */
  choices: readonly string[]
}

export type CompletableFlag = {
  /** Without dashes. */
  long: string
  short: string | undefined
  summary: string
  takesValue: boolean
  choices: readonly string[]
}

/** Loads every command: its options stand in its own module. */
export async function describeCommands(entries: readonly CommandEntry[]): Promise<CompletableCommand[]> {
  return Promise.all(
    entries.map(async (entry) => {
      const { options, positionals } = await entry.load()
      const specs: Record<string, OptionSpec> = { ...options, ...globalOptions }
      return {
        name: entry.name,
        summary: entry.summary,
        flags: Object.entries(specs).map(([key, spec]) => flagOf(key, spec)),
        choices: positionals[0]?.choices ?? [],
      }
    }),
  )
}

/** The words that can follow `varve`: two-word commands count once, by their first. */
export function firstWords(commands: readonly CompletableCommand[]): { word: string; summary: string }[] {
  const words = new Map<string, string>()
  for (const { name, summary } of commands) {
    const word = name.split(' ')[0]!
    if (word === name || !words.has(word)) words.set(word, summary)
  }
  return [...words].map(([word, summary]) => ({ word, summary }))
}

/** First words that a second can follow, with those seconds. */
export function secondWords(commands: readonly CompletableCommand[]): Map<string, CompletableCommand[]> {
  const families = new Map<string, CompletableCommand[]>()
  for (const command of commands) {
    const [first, second] = command.name.split(' ')
    if (second !== undefined) families.set(first!, [...(families.get(first!) ?? []), command])
  }
  return families
}

function flagOf(key: string, spec: OptionSpec): CompletableFlag {
  const name = flagNameOf(key)
  return {
    long: spec.type === 'boolean' && spec.default ? `no-${name}` : name,
    short: spec.short,
    summary: spec.summary,
    takesValue: spec.type !== 'boolean',
    choices: (spec.type === 'string' && spec.choices) || [],
  }
}
