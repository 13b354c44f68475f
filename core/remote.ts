import type { Readable } from 'node:stream'

/** A flat store of byte strings by key. It knows nothing of chunks, packs or git. */
export interface Remote {
  /** Safe to print: no secret in it. */
  readonly label: string
  stat(key: Key): Promise<RemoteEntry | undefined>
  /** @throws NOT_FOUND when there is no such key. A range past the end gives what there is. */
  read(key: Key, options?: { range?: ByteRange; signal?: AbortSignal }): Promise<Readable>
  /**
   * All or nothing: a reader sees the whole value or what was there before.
   * @throws ALREADY_EXISTS with `ifAbsent` when the key exists.
   */
  write(key: Key, source: Source, options?: { ifAbsent?: boolean; signal?: AbortSignal }): Promise<void>
  /** Plain string prefix, any order; complete, or throws. */
  list(prefix: string): AsyncIterable<RemoteEntry>
  /** No error where it is gone already. */
  remove(key: Key): Promise<void>
}

/** Slash-separated, ASCII, never from outside unchecked. */
export type Key = string

/** `modifiedAt` is by the server's clock. */
export type RemoteEntry = { key: Key; sizeBytes: number; modifiedAt: Date }

export type ByteRange = { start: number; endExclusive: number }

/** A value that can be opened again: that is what makes retry possible. */
export type Source = { sizeBytes: number; open(): Readable }
