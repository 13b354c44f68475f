import type { CommandArguments } from './command.ts'

/** Options that every command takes, before its name or after it. */
export const globalOptions = {
  json: { type: 'boolean', summary: 'Print one JSON document on standard output' },
  quiet: { type: 'boolean', short: 'q', summary: 'Print nothing but results and errors' },
  verbose: { type: 'boolean', short: 'v', summary: 'Say more about what is done' },
  directory: {
    type: 'string',
    short: 'C',
    valueName: 'PATH',
    multiple: true,
    summary: 'Run as if started in PATH',
  },
  help: { type: 'boolean', short: 'h', summary: 'Show this help' },
} as const

export type GlobalOptionValues = CommandArguments<typeof globalOptions>['options']
