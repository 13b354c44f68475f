import type { CommandEntry } from './command.ts'

/** Every command, in the order of the overview. A command's module is loaded when it is run. */
export const commandTable: readonly CommandEntry[] = [
  {
    name: 'add',
    group: 'everyday',
    summary: 'Take files and directories into version control',
    load: async () => (await import('./commands/add.ts')).addCommand,
  },
  {
    name: 'status',
    group: 'everyday',
    summary: 'Show what changed, and what the remote lacks',
    load: async () => (await import('./commands/status.ts')).statusCommand,
  },
  {
    name: 'diff',
    group: 'everyday',
    summary: 'Show changes file by file',
    load: async () => (await import('./commands/diff.ts')).diffCommand,
  },
  {
    name: 'checkout',
    group: 'everyday',
    summary: 'Bring the workspace to a version',
    load: async () => (await import('./commands/checkout.ts')).checkoutCommand,
  },
  {
    name: 'push',
    group: 'share',
    summary: 'Send bytes to a remote',
    load: async () => (await import('./commands/push.ts')).pushCommand,
  },
  {
    name: 'fetch',
    group: 'share',
    summary: 'Bring bytes from a remote into the store',
    load: async () => (await import('./commands/fetch.ts')).fetchCommand,
  },
  {
    name: 'pull',
    group: 'share',
    summary: 'Fetch, then check out',
    load: async () => (await import('./commands/pull.ts')).pullCommand,
  },
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
