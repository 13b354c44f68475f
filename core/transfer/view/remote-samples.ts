import { rmSync } from 'node:fs'
import { VarveError } from '../../errors.ts'
import type { SegmentName } from '../../format/segment.ts'
import type { Remote } from '../../remote.ts'
import { publishFile } from '../../store/durable.ts'
import { IndexSet } from '../../store/index-set.ts'
import { sampleKey, segmentPath, temporaryFolder } from '../../store/store-layout.ts'
import { temporaryPath } from '../../store/temporary-files.ts'
import { readSuperseded } from '../../store/verify-segment.ts'
import { fetchAll, type ListedFile, listFiles } from '../objects/listed-files.ts'
import { readIntoFile } from '../objects/read-whole.ts'
import { copiesIn, removeCopy, segmentNameOf } from './segment-copies.ts'

/**
 * The samples of index segments that are left on a remote, cached by name. A sample is named after its segment, not after
 * its bytes: pages prove themselves by checksums, and what a row says is looked at before anything leans on it.
 */
export class RemoteSamples {
  readonly #remote: Remote
  readonly #root: string
  #set: IndexSet | undefined

  constructor(options: { remote: Remote; root: string }) {
    this.#remote = options.remote
    this.#root = options.root
  }

  /** Those that are here, asked as one. */
  get set(): IndexSet {
    this.#set ??= new IndexSet(this.#root)
    return this.#set
  }

  /** Lists the samples, drops copies of others than `segments`, and gives those that are to be fetched. */
  async list(segments: readonly { name: SegmentName }[]): Promise<ListedFile<SegmentName>[]> {
    const listed = await listFiles(this.#remote, 'sample/', segmentNameOf)
    const lacking = new Set(segments.map(({ name }) => name))
    for (const name of copiesIn(this.#root)) {
      const isWanted = listed.has(name) && lacking.delete(name)
      if (!isWanted) removeCopy(this.#root, name)
    }
    this.close()
    return [...lacking].flatMap((name) => listed.get(name) ?? [])
  }

  /** One that is damaged, or has gone meanwhile, is done without. */
  async fetch(files: readonly ListedFile<SegmentName>[], signal?: AbortSignal): Promise<void> {
    await fetchAll(files, async ({ name, sizeBytes }) => {
      const temporary = temporaryPath(temporaryFolder(this.#root))
      try {
        await readIntoFile(this.#remote, sampleKey(name), { path: temporary, mostBytes: sizeBytes, signal })
        readSuperseded(temporary, name)
        publishFile(temporary, segmentPath(this.#root, name))
      } catch (error) {
        if (!(error instanceof VarveError) || !['CORRUPT', 'MALFORMED'].includes(error.code)) throw error
      } finally {
        rmSync(temporary, { force: true })
      }
    })
    this.close()
  }

  close(): void {
    this.#set?.close()
    this.#set = undefined
  }
}
