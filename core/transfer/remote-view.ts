import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import pLimit from 'p-limit'
import type { ContentId } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import {
  decodeRootRecord,
  isRecordId,
  MAX_RECORD_FILE_BYTES,
  type RecordId,
  type RecordPointer,
  type RootRecord,
} from '../format/root-record.ts'
import { isSegmentName, type SegmentName } from '../format/segment.ts'
import type { Remote } from '../remote.ts'
import { makeFolder, publishFile } from '../store/durable.ts'
import { IndexSet } from '../store/index-set.ts'
import { indexFolder, segmentKey, segmentPath, temporaryFolder } from '../store/store-layout.ts'
import { sweepTemporaries, temporaryPath } from '../store/temporary-files.ts'
import { verifySegment } from '../store/verify-segment.ts'
import { writeFileDurably } from '../store/write-file-durably.ts'
import { readIntoFile, readWhole } from './read-whole.ts'
import { checkRemoteFormat, ensureRemoteFormat } from './remote-format.ts'

const REQUESTS_AT_ONCE = 8
const MAX_SEGMENT_BYTES = 64 * 2 ** 30

/** A record that says that a version, or a part of it, is on the remote. */
export type Holder = { record: RootRecord; pointer: RecordPointer }

/**
 * What this clone knows of a remote: its index segments and this repository's final records, kept by name in a folder.
 * Both are immutable, so asking for what is new is a listing, and the listing is what counts: what it lacks is dropped.
 */
export class RemoteView {
  readonly remote: Remote
  readonly folder: string
  readonly #repositoryId: string
  #records: Map<RecordId, RootRecord> | undefined
  #holders: Map<ContentId, Holder[]> | undefined
  #index: IndexSet | undefined

  constructor(options: { remote: Remote; folder: string; repositoryId: string }) {
    this.remote = options.remote
    this.folder = options.folder
    this.#repositoryId = options.repositoryId
  }

  /** The final records of this repository, as of the last refresh. */
  get records(): ReadonlyMap<RecordId, RootRecord> {
    this.#records ??= this.#loadRecords()
    return this.#records
  }

  /** The remote's index, as of the last refresh. */
  get index(): IndexSet {
    this.#index ??= new IndexSet(this.folder)
    return this.#index
  }

  /** The records that say that the whole version `id` is there, newest first; then those that say it of a part. */
  holdersOf(id: ContentId): readonly Holder[] {
    this.#holders ??= groupHolders(this.records.values())
    return this.#holders.get(id) ?? []
  }

  /** Whether a push of the whole version is known to be complete. */
  holdsWhole(id: ContentId): boolean {
    const [holder] = this.holdersOf(id)
    return holder !== undefined && holder.pointer.only === undefined
  }

  /** Before the first push from this clone: makes the place a remote, or checks that it is one. */
  async prepare(): Promise<void> {
    if (existsSync(this.#preparedNote)) return
    await ensureRemoteFormat(this.remote)
    writeFileDurably(this.#preparedNote, '')
  }

  /** Lists this repository's records, and fetches those that are new. */
  async refreshRecords(signal?: AbortSignal): Promise<void> {
    const prefix = `roots/${this.#repositoryId}/`
    const listed = new Set<RecordId>()
    for await (const { key } of this.remote.list(prefix)) {
      const id = key.slice(prefix.length, -FINAL_SUFFIX.length)
      if (key.endsWith(FINAL_SUFFIX) && isRecordId(id)) listed.add(id)
    }
    const known = new Set(this.records.keys())
    if (listed.size === 0) {
      const wasUsed = known.size > 0 || existsSync(this.#preparedNote)
      await checkRemoteFormat(this.remote, { wasUsed })
    }
    await this.#fetchAll(
      [...listed].filter((id) => !known.has(id)),
      async (id) => {
        const bytes = await readWhole(this.remote, recordKey(this.#repositoryId, id), {
          mostBytes: MAX_RECORD_FILE_BYTES,
          signal,
        })
        this.keepRecord(id, bytes)
      },
    )
    for (const id of known) {
      if (listed.has(id)) continue
      rmSync(join(this.#recordsFolder, id), { force: true })
      this.#records?.delete(id)
      this.#holders = undefined
    }
  }

  /** Lists the remote's index segments, and fetches those that are new. */
  async refreshIndex(signal?: AbortSignal): Promise<void> {
    const prefix = 'index/'
    const listed = new Set<SegmentName>()
    for await (const { key } of this.remote.list(prefix)) {
      const name = key.slice(prefix.length, -'.idx'.length)
      if (key.endsWith('.idx') && isSegmentName(name)) listed.add(name)
    }
    makeFolder(indexFolder(this.folder))
    sweepTemporaries(temporaryFolder(this.folder))
    const known = new Set<string>(
      readdirSync(indexFolder(this.folder)).map((file) => file.slice(0, -'.idx'.length)),
    )
    const gone = [...known].filter((name) => !listed.has(name as SegmentName))
    const fresh = [...listed].filter((name) => !known.has(name))
    if (gone.length > 0 || fresh.length > 0) {
      this.#index?.close()
      this.#index = undefined
    }
    for (const name of gone) rmSync(join(indexFolder(this.folder), `${name}.idx`), { force: true })
    await this.#fetchAll(fresh, (name) => this.#fetchSegment(name, signal))
  }

  /** Takes in a record's bytes, verified by its name. */
  keepRecord(id: RecordId, bytes: Buffer): void {
    const record = decodeRootRecord(bytes, id)
    writeFileDurably(join(this.#recordsFolder, id), bytes)
    this.#records?.set(id, record)
    this.#holders = undefined
  }

  close(): void {
    this.#index?.close()
  }

  get #preparedNote(): string {
    return join(this.folder, 'prepared')
  }

  get #recordsFolder(): string {
    return join(this.folder, 'roots', this.#repositoryId)
  }

  #loadRecords(): Map<RecordId, RootRecord> {
    const records = new Map<RecordId, RootRecord>()
    if (!existsSync(this.#recordsFolder)) return records
    for (const id of readdirSync(this.#recordsFolder).filter(isRecordId)) {
      try {
        records.set(id, decodeRootRecord(readFileSync(join(this.#recordsFolder, id)), id))
      } catch (error) {
        if (!(error instanceof VarveError)) throw error
        // A damaged copy is fetched again.
        rmSync(join(this.#recordsFolder, id), { force: true })
      }
    }
    return records
  }

  async #fetchSegment(name: SegmentName, signal: AbortSignal | undefined): Promise<void> {
    const temporary = temporaryPath(temporaryFolder(this.folder))
    try {
      await readIntoFile(this.remote, segmentKey(name), {
        path: temporary,
        mostBytes: MAX_SEGMENT_BYTES,
        signal,
      })
      this.#refuseBadSegment(name, temporary)
      publishFile(temporary, segmentPath(this.folder, name))
    } finally {
      rmSync(temporary, { force: true })
    }
  }

  /** Once it is in the cache, one that cannot be opened would stop every command. */
  #refuseBadSegment(name: SegmentName, path: string): void {
    try {
      verifySegment(path, name)
    } catch (error) {
      if (!(error instanceof VarveError) || error.code === 'TOO_NEW') throw error
      const key = segmentKey(name)
      throw new VarveError(error.code, `${this.remote.label}: ${key} is damaged: ${error.message}`, {
        hint: `Run the command again; if it stays so, remove ${key} from the remote.`,
        cause: error,
      })
    }
  }

  /** One that is gone since it was listed has been superseded. */
  async #fetchAll<T>(items: readonly T[], fetch: (item: T) => Promise<void>): Promise<void> {
    const limit = pLimit(REQUESTS_AT_ONCE)
    const fetchIfThere = async (item: T) => {
      try {
        await fetch(item)
      } catch (error) {
        if (!(error instanceof VarveError) || error.code !== 'NOT_FOUND') throw error
      }
    }
    await Promise.all(items.map((item) => limit(() => fetchIfThere(item))))
  }
}

/** By version: the newest record first, those of the whole version before those of parts. */
function groupHolders(records: Iterable<RootRecord>): Map<ContentId, Holder[]> {
  const newestFirst = [...records].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
  const all = newestFirst.flatMap((record) => record.pointers.map((pointer) => ({ record, pointer })))
  const isWhole = ({ pointer }: Holder) => pointer.only === undefined
  const groups = new Map<ContentId, Holder[]>()
  for (const holder of [...all.filter(isWhole), ...all.filter((one) => !isWhole(one))]) {
    const group = groups.get(holder.pointer.id)
    if (group === undefined) groups.set(holder.pointer.id, [holder])
    else group.push(holder)
  }
  return groups
}

const FINAL_SUFFIX = '.final'

export function recordKey(repositoryId: string, id: RecordId): string {
  return `roots/${repositoryId}/${id}${FINAL_SUFFIX}`
}

export function intentKey(repositoryId: string, id: RecordId): string {
  return `roots/${repositoryId}/${id}.intent`
}
