import type { CommandArguments } from './command.ts'

/** Options that every command takes, before its name or after it. */
export const globalOptions = {
  json: { type: 'boolean', summary: 'print one JSON document on standard output' },
  quiet: { type: 'boolean', short: 'q', summary: 'print nothing but results and errors' },
  verbose: { type: 'boolean', short: 'v', summary: 'say more about what is done' },
  directory: {
    type: 'string',
    short: 'C',
    valueName: 'PATH',
    multiple: true,
    summary: 'run as if started in PATH',
  },
  help: { type: 'boolean', short: 'h', summary: 'show this help' },
} as const

export type GlobalOptionValues = CommandArguments<typeof globalOptions>['options']
