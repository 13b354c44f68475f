import type { CommandEntry } from './command.ts'

/** Every command, in the order of the overview. A command's module is loaded when it is run. */
export const commandTable: readonly CommandEntry[] = [
  {
    name: 'help',
    group: 'setup',
    summary: 'Show the commands, or how to use one',
    load: async () => (await import('./commands/help.ts')).helpCommand,
  },
  {
    name: 'version',
    group: 'setup',
    summary: 'Show the version of varve and what it runs on',
    load: async () => (await import('./commands/version.ts')).versionCommand,
  },
  {
    name: 'completion',
    group: 'setup',
    summary: 'Print a script that makes your shell complete varve commands',
    load: async () => (await import('./commands/completion.ts')).completionCommand,
  },
]
