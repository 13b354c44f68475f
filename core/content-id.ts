import { blake3 } from './blake3.ts'
import { VarveError } from './errors.ts'

/** The BLAKE3-256 of a byte string, written `b3:` and 64 lower-case hex digits. */
export type ContentId = `b3:${string}` & { readonly [contentIdBrand]: true }
declare const contentIdBrand: unique symbol

/** The same 32 bytes raw, as tables and trees hold them. */
export type Digest = Uint8Array

export const DIGEST_BYTES = 32

/** The digest of the empty byte string: the id of every empty file. */
export const EMPTY_DIGEST: Digest = blake3.digest(new Uint8Array(0))

export function digestOf(bytes: Uint8Array): Buffer {
  return blake3.digest(bytes)
}

export function contentIdOf(bytes: Uint8Array): ContentId {
  return contentIdFromDigest(blake3.digest(bytes))
}

export function contentIdFromDigest(digest: Digest): ContentId {
  return `b3:${hexOf(digest)}` as ContentId
}

export function digestFromContentId(id: ContentId): Buffer {
  return Buffer.from(id.slice(3), 'hex')
}

export function isContentId(text: string): text is ContentId {
  return /^b3:[0-9a-f]{64}$/.test(text)
}

/** @throws MALFORMED when `text` is not `b3:` and 64 lower-case hex digits. */
export function parseContentId(text: string): ContentId {
  if (isContentId(text)) return text
  throw new VarveError('MALFORMED', `not a content id: ${JSON.stringify(text.slice(0, 80))}`)
}

export function hexOf(digest: Digest): string {
  return Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).toString('hex')
}

/** Hashes a byte string that arrives in pieces. */
export class ContentHasher {
  readonly #hasher = blake3.createHasher()

  update(bytes: Uint8Array): void {
    this.#hasher.update(bytes)
  }

  digest(): Buffer {
    return this.#hasher.digest()
  }
}
