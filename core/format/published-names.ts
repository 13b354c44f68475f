import type { RemoteEntry } from '../remote.ts'

const PUBLISHED_VERSION = 1

/** What readers who cannot list must know of: index segments and root records. */
export const PUBLISHED_PREFIXES: readonly string[] = ['index/', 'roots/']

/** JSON, with keys sorted: one listing, one encoding. */
export function encodePublishedNames(entries: Iterable<Pick<RemoteEntry, 'key' | 'sizeBytes'>>): Buffer {
  const keys = [...entries]
    .map(({ key, sizeBytes }) => [key, sizeBytes] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const body = { varve: PUBLISHED_VERSION, prefixes: PUBLISHED_PREFIXES, keys }
  return Buffer.from(`${JSON.stringify(body)}\n`)
}
