import { contentIdFromDigest, digestOf, hexOf } from '../../core/content-id.ts'
import {
  decodePackFooter,
  PACK_FOOTER_BYTES,
  type PackName,
  verifyPackTable,
} from '../../core/format/pack.ts'
import type { TreeEntry } from '../../core/format/tree.ts'
import { PathFilter } from '../../core/path-filter.ts'
import type { Key, Remote } from '../../core/remote.ts'
import { decodeEntry } from '../../core/store/entry-codec.ts'
import { walkTree } from '../../core/store/find-in-tree.ts'
import { Store } from '../../core/store/store.ts'
import { fetchVersions } from '../../core/transfer/fetch/fetch-versions.ts'
import { sourceOf } from '../../core/transfer/objects/source-of.ts'
import { pushVersions } from '../../core/transfer/push/push-versions.ts'
import { RemoteView } from '../../core/transfer/view/remote-view.ts'
import { createWorkers } from '../../core/workers/workers.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

export const REPOSITORY = '0123456789abcdef0123456789abcdef'

/** A clone as the transfer sees it: a store, and what it knows of one remote. */
export type Clone = { store: Store; view: RemoteView; remote: Remote }

export function makeClone(remote: Remote, repositoryId = REPOSITORY): Clone {
  const store = Store.open(`${makeTemporaryFolder()}/store`)
  const view = new RemoteView({ remote, folder: `${makeTemporaryFolder()}/view`, repositoryId })
  return { store, view, remote }
}

/** The same clone in another process, as it were, through another remote if need be. */
export function reopen(clone: Clone, remote: Remote = clone.remote, repositoryId = REPOSITORY): Clone {
  clone.view.close()
  clone.store.close()
  const view = new RemoteView({ remote, folder: clone.view.folder, repositoryId })
  return { store: Store.open(clone.store.root), view, remote }
}

type Part = {
  paths?: string[]
  repositoryId?: string
  jobs?: number
  onMissing?: 'refuse' | 'leave-out'
  isRehearsal?: boolean
}

/** Pushes versions as the command does: the view is refreshed first. */
export async function push(clone: Clone, entries: readonly TreeEntry[], part: Part = {}) {
  const { store, view } = clone
  await view.prepare()
  await view.refreshRecords()
  await view.refreshIndex()
  return pushVersions({
    store,
    view,
    versions: entries.map((entry) => ({ ...versionOf(entry, part.paths), only: part.paths })),
    onMissing: part.onMissing ?? 'refuse',
    repositoryId: part.repositoryId ?? REPOSITORY,
    who: 'Ada',
    commits: [],
    jobs: part.jobs ?? 2,
    isRehearsal: part.isRehearsal,
  })
}

export async function fetch(clone: Clone, entries: readonly TreeEntry[], part: Part = {}) {
  const { store, view } = clone
  await view.refreshRecords()
  const workers = createWorkers({ threads: 2 })
  const versions = entries.map((entry) => versionOf(entry, part.paths))
  return fetchVersions({ store, view, workers, versions, jobs: part.jobs ?? 2 })
}

function versionOf(entry: TreeEntry, paths: string[] | undefined) {
  if (entry.kind === 'link') throw new Error('a link has no bytes')
  const filter = paths === undefined ? PathFilter.everything : new PathFilter(paths)
  const { name: path, digest, sizeBytes } = entry
  return { path, id: contentIdFromDigest(digest), entry, sizeBytes, filter }
}

/** Every file of a version, read and proven: path and text of its digest. */
export function readVersion(store: Store, entry: TreeEntry): Map<string, string> {
  const files = new Map<string, string>()
  for (const { path, entry: at } of walkTree(store, entry, entry.name)) {
    if (at.kind === 'dir' || at.kind === 'link') continue
    const bytes = Buffer.concat(
      [...store.chunks(at.digest)].map(({ digest }) => store.readEntry('chunk', digest)),
    )
    files.set(path, hexOf(digestOf(bytes)))
    if (!digestOf(bytes).equals(at.digest)) throw new Error(`${path} has other bytes`)
  }
  return files
}

export async function keysOf(remote: Remote, prefix = ''): Promise<Key[]> {
  const keys: Key[] = []
  for await (const { key } of remote.list(prefix)) keys.push(key)
  return keys.sort()
}

export async function readKey(remote: Remote, key: Key): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of await remote.read(key)) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

export async function overwriteKey(
  remote: Remote,
  key: Key,
  change: (bytes: Buffer) => Buffer,
): Promise<void> {
  await remote.write(key, sourceOf(change(await readKey(remote, key))))
}

/** Every entry of a pack's bytes with what it stands for, decompressed and proven. */
export function unpack(bytes: Buffer, name: PackName) {
  const footer = decodePackFooter(bytes.subarray(-PACK_FOOTER_BYTES), bytes.length, name)
  const table = bytes.subarray(footer.tableOffset, footer.tableOffset + footer.tableBytes)
  return verifyPackTable(table, footer, name).map((entry) => {
    const stored = bytes.subarray(entry.offset, entry.offset + entry.storedBytes)
    return { ...entry, raw: decodeEntry({ ...entry, stored }) }
  })
}

/** Every entry of every pack on the remote. */
export async function entriesOn(remote: Remote) {
  const all: (ReturnType<typeof unpack>[number] & { pack: PackName })[] = []
  for (const key of await keysOf(remote, 'packs/')) {
    const name = key.slice(-69, -5) as PackName
    all.push(...unpack(await readKey(remote, key), name).map((entry) => ({ ...entry, pack: name })))
  }
  return all
}

/** A remote that asks `before` ahead of every write and remove. */
export function intercepting(
  inner: Remote,
  before: (verb: 'write' | 'remove', key: Key) => Promise<void> | void,
): Remote {
  return {
    ...inner,
    async write(key, source, options) {
      await before('write', key)
      await inner.write(key, source, options)
    },
    async remove(key) {
      await before('remove', key)
      await inner.remove(key)
    },
  }
}

export const packsOn = (remote: Remote) => keysOf(remote, 'packs/')

/** Fetches into a new clone, and gives what it reads there. */
export async function readElsewhere(remote: Remote, entry: Parameters<typeof readVersion>[1]) {
  const clone = makeClone(remote)
  await fetch(clone, [entry])
  return readVersion(clone.store, entry)
}
