import type { Digest } from '../content-id.ts'
import { DigestSet } from '../store/digest-set.ts'

/** A file by its number, and where in it the chunk begins. */
export type ChunkPlace = { file: number; position: number }

/** Where in files chunks belong: one may belong to many places. Numbers in flat lists, some 30 bytes a place. */
export class ChunkPlaces {
  readonly chunks = new DigestSet()
  /** Of each chunk, by its number: its last place. */
  readonly #last: number[] = []
  /** Of each place: the one of the same chunk before it, or -1. */
  readonly #before: number[] = []
  readonly #files: number[] = []
  readonly #positions: number[] = []

  get count(): number {
    return this.#files.length
  }

  add(chunk: Digest, file: number, position: number): void {
    const place = this.#files.length
    if (this.chunks.add(chunk)) {
      this.#last.push(place)
      this.#before.push(-1)
    } else {
      const index = this.chunks.indexOf(chunk)
      this.#before.push(this.#last[index]!)
      this.#last[index] = place
    }
    this.#files.push(file)
    this.#positions.push(position)
  }

  placesOf(chunk: Digest): ChunkPlace[] {
    const places: ChunkPlace[] = []
    const index = this.chunks.indexOf(chunk)
    for (let at = index < 0 ? -1 : this.#last[index]!; at >= 0; at = this.#before[at]!) {
      places.push({ file: this.#files[at]!, position: this.#positions[at]! })
    }
    return places
  }
}
