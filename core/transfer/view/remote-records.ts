import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ContentId } from '../../content-id.ts'
import { VarveError } from '../../errors.ts'
import type { PackName } from '../../format/pack.ts'
import { type BundledRecord, encodeRecordBundle } from '../../format/record-bundle.ts'
import {
  compressRecord,
  decodeRootRecord,
  MAX_RECORD_FILE_BYTES,
  type RecordId,
  type RecordPack,
  type RootRecord,
} from '../../format/root-record.ts'
import type { Key, Remote } from '../../remote.ts'
import { writeFileDurably } from '../../store/write-file-durably.ts'
import { fetchAll, type ListedFile, listFiles, untilAllThere } from '../objects/listed-files.ts'
import { readWhole } from '../objects/read-whole.ts'
import { sourceOf } from '../objects/source-of.ts'
import type { OnMended } from '../objects/until-undamaged.ts'
import { groupHolders, type Holder } from './group-holders.ts'
import { bundleNameOf, isBundle, type RecordFile, readRecordFile, recordFileOf } from './record-file.ts'
import { isMissingFile } from './segment-copies.ts'

/** What a file holds. `rawBytes` is what it weighs decompressed. */
type Held = { ids: RecordId[]; supersedes: RecordFile[]; rawBytes: number }

/** The final records of one repository on a remote, by themselves or in bundles, cached by name. */
export class RemoteRecords {
  readonly #remote: Remote
  readonly #folder: string
  readonly #onMended: OnMended | undefined
  readonly #prefix: string
  readonly #files = new Map<RecordFile, Held>()
  readonly #records = new Map<RecordId, RootRecord>()
  /** How many files have a record. */
  readonly #copies = new Map<RecordId, number>()
  #listed = new Map<RecordFile, ListedFile<RecordFile>>()
  #holders: Map<ContentId, Holder[]> | undefined
  #packs: Map<PackName, RecordPack> | undefined
  /** A large version's record names as many packs as the one before it, and most are the same. */
  readonly #shared = new Map<PackName, RecordPack>()
  #superseded: Set<RecordFile> | undefined
  #isLoaded = false
  #changeCount = 0

  constructor(options: {
    remote: Remote
    folder: string
    repositoryId: string
    onMended?: OnMended | undefined
  }) {
    this.#remote = options.remote
    this.#onMended = options.onMended
    this.#prefix = `roots/${options.repositoryId}/`
    this.#folder = join(options.folder, 'roots', options.repositoryId)
  }

  /** Merges and removals on the remote, by this process. */
  get changeCount(): number {
    return this.#changeCount
  }

  /** As of the last refresh. */
  get all(): ReadonlyMap<RecordId, RootRecord> {
    this.#load()
    return this.#records
  }

  /** The records that say that the whole version `id` is there, newest first; then those that say it of a part. */
  holdersOf(id: ContentId): readonly Holder[] {
    this.#holders ??= groupHolders(this.all.values())
    return this.#holders.get(id) ?? []
  }

  /** What the records say of packs. */
  get packs(): ReadonlyMap<PackName, RecordPack> {
    this.#packs ??= new Map(
      [...this.all.values()].flatMap(({ packs }) => packs.map((pack) => [pack.name, pack])),
    )
    return this.#packs
  }

  get listed(): ReadonlyMap<RecordFile, ListedFile<RecordFile>> {
    return this.#listed
  }

  /** Listed files that count, with their weight decompressed: what merging them costs. */
  get present(): { name: RecordFile; sizeBytes: number }[] {
    const superseded = this.#supersededFiles()
    return [...this.#listed.keys()].flatMap((name) => {
      const held = this.#files.get(name)
      return held === undefined || superseded.has(name) ? [] : [{ name, sizeBytes: held.rawBytes }]
    })
  }

  /** Listed files whose records another one, which is here, has too; with that one. */
  *replaced(): Generator<{ old: RecordFile; by: ListedFile<RecordFile> }> {
    for (const [name, held] of this.#files) {
      const by = this.#listed.get(name)
      if (by === undefined) continue
      for (const old of replacedBy(name, held)) if (this.#listed.has(old)) yield { old, by }
    }
  }

  /** Lists the records, and fetches those that are new. `onEmpty` is called where there are none. */
  async refresh(onEmpty: () => Promise<void>, signal?: AbortSignal): Promise<void> {
    this.#load()
    const fetch = ({ name }: { name: RecordFile }) => this.#fetch(name, signal)
    await untilAllThere(async () => {
      this.#listed = await listFiles(this.#remote, this.#prefix, recordFileOf)
      if (this.#listed.size === 0) await onEmpty()
      for (const name of this.#files.keys()) if (!this.#listed.has(name)) this.#drop(name)
      const superseded = this.#supersededFiles()
      const fresh = [...this.#listed.values()].filter(
        ({ name }) => !this.#files.has(name) && !superseded.has(name),
      )
      // Bundles first, since they tell what need not be fetched.
      const order = fresh.sort((a, b) => kindOrder(a.name) - kindOrder(b.name) || b.sizeBytes - a.sizeBytes)
      const bundles = order.filter(({ name }) => isBundle(name))
      const areBundlesThere = await fetchAll(bundles, fetch, this.#onMended)
      const singles = order.filter(({ name }) => !isBundle(name))
      const areSinglesThere = await fetchAll(singles, fetch, this.#onMended)
      for (const old of this.#supersededFiles()) if (this.#files.has(old)) this.#drop(old)
      return areBundlesThere && areSinglesThere
    })
  }

  /** Takes in a record that this clone has written. */
  keep(id: RecordId, json: Buffer): void {
    this.#load()
    const name: RecordFile = `${id}.final`
    this.#save(name, compressRecord(json))
  }

  /** Writes one bundle in place of several files that are here, here and there. */
  async merge(names: readonly RecordFile[], signal?: AbortSignal): Promise<void> {
    const records = new Map<RecordId, BundledRecord>()
    const read = this.#readAll(names)
    if (read === undefined) return
    for (const record of read) {
      const known = records.get(record.id)
      if (known === undefined || known.writtenAt < record.writtenAt) records.set(record.id, record)
    }
    const inherited = names.flatMap((name) => this.#files.get(name)?.supersedes ?? [])
    const old = [...names, ...inherited].filter((name) => isBundle(name) && this.#listed.has(name))
    const { name, bytes } = encodeRecordBundle({
      supersedes: [...new Set(old.map(bundleNameOf))].sort(),
      records: [...records.values()].sort((a, b) =>
        a.writtenAt === b.writtenAt ? (a.id < b.id ? -1 : 1) : a.writtenAt < b.writtenAt ? -1 : 1,
      ),
    })
    // A larger one would be read by nobody.
    if (bytes.length > MAX_RECORD_FILE_BYTES) return
    await this.#remote.write(`${this.#prefix}${name}.bundle`, sourceOf(bytes), { ...(signal && { signal }) })
    this.#save(`${name}.bundle`, bytes)
    this.#changeCount++
  }

  async remove(name: RecordFile): Promise<void> {
    await this.#remote.remove(this.keyOf(name))
    this.#listed.delete(name)
    this.#drop(name)
    this.#changeCount++
  }

  keyOf(name: RecordFile): Key {
    return `${this.#prefix}${name}`
  }

  #supersededFiles(): ReadonlySet<RecordFile> {
    this.#superseded ??= new Set([...this.#files].flatMap(([name, held]) => replacedBy(name, held)))
    return this.#superseded
  }

  #load(): void {
    if (this.#isLoaded) return
    this.#isLoaded = true
    if (!existsSync(this.#folder)) return
    for (const name of readdirSync(this.#folder).flatMap((file) => recordFileOf(file) ?? [])) {
      try {
        this.#take(name, readFileSync(join(this.#folder, name)))
      } catch (error) {
        if (!(error instanceof VarveError)) throw error
        // A damaged copy is fetched again.
        rmSync(join(this.#folder, name), { force: true })
      }
    }
  }

  async #fetch(name: RecordFile, signal: AbortSignal | undefined): Promise<void> {
    if (this.#supersededFiles().has(name)) return
    const key = this.keyOf(name)
    this.#save(name, await readWhole(this.#remote, key, { mostBytes: MAX_RECORD_FILE_BYTES, signal }))
  }

  /** Takes in a file's bytes, verified by its name. */
  #save(name: RecordFile, bytes: Buffer): void {
    if (!this.#files.has(name)) this.#take(name, bytes)
    writeFileDurably(join(this.#folder, name), bytes)
  }

  #take(name: RecordFile, bytes: Buffer): void {
    const { supersedes, records } = readRecordFile(name, bytes)
    for (const { id, json } of records) {
      if (!this.#records.has(id)) this.#records.set(id, this.#sharing(decodeRootRecord(json, id)))
      this.#copies.set(id, (this.#copies.get(id) ?? 0) + 1)
    }
    this.#files.set(name, {
      ids: records.map(({ id }) => id),
      supersedes: supersedes.map((old): RecordFile => `${old}.bundle`),
      rawBytes: records.reduce((sum, { json }) => sum + json.length, 0),
    })
    this.#forgetDerived(name)
  }

  /** Memory for each pack once, however many records name it. */
  #sharing(record: RootRecord): RootRecord {
    const packs = record.packs.map((pack) => {
      const known = this.#shared.get(pack.name)
      if (known?.sizeBytes === pack.sizeBytes && known.tailBytes === pack.tailBytes) return known
      this.#shared.set(pack.name, pack)
      return pack
    })
    return { ...record, packs }
  }

  #forgetDerived(changed: RecordFile): void {
    if (isBundle(changed)) this.#superseded = undefined
    this.#holders = undefined
    this.#packs = undefined
  }

  /** Undefined where another process that uses the same copies has dropped one. */
  #readAll(names: readonly RecordFile[]): BundledRecord[] | undefined {
    try {
      return names.flatMap((name) => this.#read(name))
    } catch (error) {
      if (!isMissingFile(error)) throw error
      return undefined
    }
  }

  #read(name: RecordFile): BundledRecord[] {
    const bytes = readFileSync(join(this.#folder, name))
    const writtenAt = this.#listed.get(name)!.modifiedAt.toISOString()
    return readRecordFile(name, bytes).records.map((record) => ({
      ...record,
      writtenAt: record.writtenAt ?? writtenAt,
    }))
  }

  /** Forgets a file, and those of its records that no other file has. */
  #drop(name: RecordFile): void {
    const held = this.#files.get(name)
    this.#files.delete(name)
    rmSync(join(this.#folder, name), { force: true })
    for (const id of held?.ids ?? []) {
      const copies = this.#copies.get(id)! - 1
      this.#copies.set(id, copies)
      if (copies === 0) this.#records.delete(id)
    }
    this.#forgetDerived(name)
  }
}

/** The files that a bundle stands in place of. */
function replacedBy(name: RecordFile, held: Held): RecordFile[] {
  if (!isBundle(name)) return []
  return [...held.supersedes, ...held.ids.map((id): RecordFile => `${id}.final`)]
}

function kindOrder(name: RecordFile): number {
  return isBundle(name) ? 0 : 1
}
