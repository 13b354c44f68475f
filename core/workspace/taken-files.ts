import { DIGEST_BYTES, type Digest } from '../content-id.ts'
import type { TreeEntry } from '../format/tree.ts'
import type { FilesToIngest } from './file-ingest.ts'
import { isLarge } from './ingest-schedule.ts'
import { type DirectoryListing, filesOf, type ScannedFile } from './list-directory.ts'
import { type FileToRead, joinPath, type ReadFile } from './read-file.ts'

/** What is known of the content of a directory's files, by their place in its listing: 32 bytes each. */
export class TakenFiles {
  readonly #digests: Buffer
  /** Of files that changed between listing and reading. */
  readonly #sizes = new Map<number, number>()

  constructor(count: number) {
    this.#digests = Buffer.allocUnsafeSlow(count * DIGEST_BYTES)
  }

  onKnown(place: number, digest: Digest): void {
    this.#digests.set(digest, place * DIGEST_BYTES)
  }

  onRead({ place, stamp: listed }: FileToTake, { digest, stamp }: ReadFile): void {
    this.onKnown(place, digest)
    if (stamp.sizeBytes !== listed.sizeBytes) this.#sizes.set(place, stamp.sizeBytes)
  }

  /** A view; of a file whose content is known by now. */
  entryAt(place: number, { kind, name, stamp }: ScannedFile): TreeEntry {
    const digest = this.#digests.subarray(place * DIGEST_BYTES, (place + 1) * DIGEST_BYTES)
    return { kind, name, sizeBytes: this.#sizes.get(place) ?? stamp.sizeBytes, digest }
  }
}

export type FileToTake = FileToRead & { taken: TakenFiles; place: number }

/** Those files of a directory that must be read. Of all but the large ones, no object is kept. */
export class FilesToTake implements FilesToIngest<FileToTake> {
  readonly large: FileToTake[] = []
  sizeBytes = 0
  readonly #directory: string
  readonly #listing: DirectoryListing
  readonly #taken: TakenFiles
  #smallPlaces: number[] = []

  constructor(directory: string, listing: DirectoryListing, taken: TakenFiles) {
    this.#directory = directory
    this.#listing = listing
    this.#taken = taken
  }

  get count(): number {
    return this.#smallPlaces.length + this.large.length
  }

  /** In the order of the listing. */
  add(place: number, file: ScannedFile): void {
    this.sizeBytes += file.stamp.sizeBytes
    if (isLarge(file)) this.large.push(this.#at(place, file))
    else this.#smallPlaces.push(place)
  }

  get small(): Iterable<FileToTake> {
    return this.#eachSmall()
  }

  *#eachSmall(): Generator<FileToTake> {
    let place = 0
    let next = 0
    for (const file of filesOf(this.#listing)) {
      if (place === this.#smallPlaces[next]) {
        yield this.#at(place, file)
        next++
      }
      place++
    }
  }

  #at(place: number, { name, stamp }: ScannedFile): FileToTake {
    return { path: joinPath(this.#directory, name), stamp, taken: this.#taken, place }
  }
}
