import type { PositionalSpec } from './command.ts'

/** What `push`, `fetch` and `pull` have in common. */
export const transferOptions = {
  remoteName: { type: 'string', short: 'r', valueName: 'NAME', summary: 'Another remote than the default' },
  rev: {
    type: 'string',
    valueName: 'RANGE',
    summary: 'The versions of a revision, or all that a range such as main..topic introduced',
  },
  all: { type: 'boolean', summary: 'Every version in the history of all refs' },
  jobs: { type: 'number', short: 'j', valueName: 'N', default: 8, least: 1, summary: 'Requests at once' },
} as const

export const transferPositionals: readonly PositionalSpec[] = [
  { name: 'path', summary: 'Tracked paths, paths inside them, or quoted patterns', variadic: true },
]
