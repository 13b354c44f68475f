import crypto from 'node:crypto'
import path from 'node:path'
import { loadModules } from './modules.mjs'

const FILES = 10_000
const FILE_BYTES = 107_374
const REPOSITORY = '0123456789abcdef0123456789abcdef'

/** Bytes that no compressor shrinks, the same for the same seed. */
function noise(seed, sizeBytes) {
  const key = Buffer.alloc(32)
  key.writeUInt32LE(seed)
  return crypto.createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes))
}

/** Adds 1 GiB in 10,000 files, of which the first `changed` are not those of the other versions. Gives the version. */
export async function addDataset({ folder, changed }) {
  const { Store, addVersion } = await loadModules()
  const store = Store.open(path.join(folder, 'store'))
  const content = {}
  for (let i = 0; i < FILES; i++) {
    const directory = `part ${i % 100}`
    content[directory] ??= {}
    content[directory][`file ${i}`] = noise(i < changed ? FILES + i : i, FILE_BYTES)
  }
  const { name, kind, sizeBytes, digest } = addVersion(store, content)
  store.close()
  return { name, kind, sizeBytes, digest: digest.toString('hex') }
}

/** Counts pages of listings as an object store would charge them, and what every request carries. */
function countedRemote(inner) {
  const counts = {
    stat: 0,
    read: 0,
    write: 0,
    list: 0,
    remove: 0,
    indexBytes: 0,
    packBytes: 0,
    bytesWritten: 0,
  }
  const remote = {
    label: inner.label,
    stat(key) {
      counts.stat++
      return inner.stat(key)
    },
    async read(key, options) {
      counts.read++
      const stream = await inner.read(key, options)
      const kind = key.startsWith('packs/') ? 'packBytes' : 'indexBytes'
      stream.on('data', (piece) => {
        counts[kind] += piece.length
      })
      return stream
    },
    write(key, source, options) {
      counts.write++
      counts.bytesWritten += source.sizeBytes
      return inner.write(key, source, options)
    },
    async *list(prefix) {
      let keys = 0
      for await (const entry of inner.list(prefix)) {
        if (keys++ % 1000 === 0) counts.list++
        yield entry
      }
      if (keys === 0) counts.list++
    },
    remove(key) {
      counts.remove++
      return inner.remove(key)
    },
  }
  return { remote, counts }
}

async function open({ folder, remoteFolder, repositoryId = REPOSITORY }) {
  const modules = await loadModules()
  const { remote, counts } = countedRemote(modules.createFileRemote({ folder: remoteFolder }))
  const view = new modules.RemoteView({ remote, folder: path.join(folder, 'view'), repositoryId })
  return { modules, view, counts, repositoryId, store: modules.Store.open(path.join(folder, 'store')) }
}

function versionOf({ PathFilter, contentIdFromDigest }, dataset) {
  const entry = { ...dataset, digest: Buffer.from(dataset.digest, 'hex') }
  const id = contentIdFromDigest(entry.digest)
  return { path: entry.name, id, entry, sizeBytes: entry.sizeBytes, filter: PathFilter.everything }
}

export async function push(options) {
  const { modules, view, counts, store, repositoryId } = await open(options)
  await view.prepare()
  await view.refreshRecords()
  await view.refreshIndex()
  const { packs, bytes } = await modules.pushVersions({
    store,
    view,
    versions: [{ ...versionOf(modules, options.dataset), only: undefined }],
    onMissing: 'refuse',
    repositoryId,
    who: 'bench',
    commits: [],
    jobs: 8,
  })
  view.close()
  return { counts, packs, bytes, peakMB: process.resourceUsage().maxRSS / 1000 }
}

export async function pull(options) {
  const { modules, view, counts, store } = await open(options)
  await view.refreshRecords()
  const { packs, bytes } = await modules.fetchVersions({
    store,
    view,
    workers: modules.createWorkers({ threads: 1 }),
    versions: [versionOf(modules, options.dataset)],
    jobs: 8,
  })
  view.close()
  return { counts, packs, bytes, peakMB: process.resourceUsage().maxRSS / 1000 }
}
