import { VarveError } from '../../errors.ts'
import { encodePublishedNames, PUBLISHED_PREFIXES } from '../../format/published-names.ts'
import type { Key, Remote, RemoteEntry } from '../../remote.ts'
import { throwIfAborted } from '../../workers/workers.ts'
import { readWhole } from '../objects/read-whole.ts'
import { sourceOf } from '../objects/source-of.ts'

/** The one object of a remote that is replaced, for readers who cannot list it. */
const PUBLISHED_KEY: Key = 'published.json'
/** Whoever changes the listing writes it again, so that giving up leaves it to them. */
const MOST_WRITES = 5

/**
 * Writes the names of all index segments and final root records into `published.json`, and again for as long as the
 * listing has changed meanwhile: so the last of several that write at the same time leaves a complete one.
 */
export async function publishNames(remote: Remote, signal?: AbortSignal): Promise<void> {
  let bytes = await encodeListing(remote)
  for (let writes = 0; writes < MOST_WRITES; writes++) {
    throwIfAborted(signal)
    await remote.write(PUBLISHED_KEY, sourceOf(bytes), { ...(signal && { signal }) })
    const now = await encodeListing(remote)
    if (now.equals(bytes)) return
    bytes = now
  }
}

/** Whether `published.json` is as `publishNames` would write it; where there is no name at all, nothing is missing. */
export async function areNamesPublished(remote: Remote, signal?: AbortSignal): Promise<boolean> {
  const wanted = await encodeListing(remote)
  if (wanted.equals(encodePublishedNames([]))) return true
  try {
    return wanted.equals(await readWhole(remote, PUBLISHED_KEY, { mostBytes: wanted.length, signal }))
  } catch (error) {
    const { code } = error instanceof VarveError ? error : { code: undefined }
    // Missing, or longer than it should be.
    if (code === 'NOT_FOUND' || code === 'HOSTILE') return false
    throw error
  }
}

async function encodeListing(remote: Remote): Promise<Buffer> {
  const lists = await Promise.all(PUBLISHED_PREFIXES.map((prefix) => listed(remote, prefix)))
  return encodePublishedNames(lists.flat())
}

/** Intents come and go with each push, and tell a reader nothing. */
async function listed(remote: Remote, prefix: string): Promise<RemoteEntry[]> {
  const entries: RemoteEntry[] = []
  for await (const entry of remote.list(prefix)) if (!entry.key.endsWith('.intent')) entries.push(entry)
  return entries
}
