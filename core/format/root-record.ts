import { gunzipSync, gzipSync } from 'node:zlib'
import { type ContentId, digestOf, hexOf, isContentId } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import {
  isPackName,
  MAX_PACK_BYTES,
  MAX_TABLE_BYTES,
  PACK_FOOTER_BYTES,
  type PackClass,
  type PackName,
} from './pack.ts'

/** The BLAKE3 of a record's JSON, 64 hex digits. */
export type RecordId = string & { readonly [recordIdBrand]: true }
declare const recordIdBrand: unique symbol

/** An intent is written before a push leans on packs; the final record when all its bytes are there. */
export type RecordKind = 'intent' | 'final'

export type RecordPack = {
  name: PackName
  class: PackClass
  sizeBytes: number
  /** The last bytes of the pack: table and footer, which one ranged read fetches. */
  tailBytes: number
}

export type RecordPointer = {
  /** Where the pointer stood in the repository: for people; nothing is written by it. */
  path: string
  id: ContentId
  sizeBytes: number
  /** Set when only these paths inside the version were pushed. */
  only?: string[]
  /** Indices into the record's packs: all that a reader of this version needs. */
  packs: number[]
}

export type RootRecord = {
  kind: RecordKind
  repository: string
  /** ISO 8601, by the pusher's clock: for people. */
  createdAt: string
  who: string
  /** Commits whose whole history is on the remote once this record is final. */
  commits: string[]
  packs: RecordPack[]
  pointers: RecordPointer[]
}

const RECORD_VERSION = 1
/** Before and after decompression. A record of a million pointers stays below. */
export const MAX_RECORD_BYTES = 512 << 20
export const MAX_RECORD_FILE_BYTES = 64 << 20

/** JSON with its keys in a fixed order. */
export function encodeRootRecord(record: RootRecord): Buffer {
  const { kind, repository, createdAt, who, commits, packs, pointers } = record
  const body = {
    varve: RECORD_VERSION,
    kind,
    repository,
    createdAt,
    who,
    commits,
    packs: packs.map((pack) => [pack.name, pack.class, pack.sizeBytes, pack.tailBytes]),
    pointers: pointers.map(({ path, id, sizeBytes, only, packs: needed }) => ({
      path,
      id,
      sizeBytes,
      ...(only === undefined ? {} : { only }),
      packs: needed,
    })),
  }
  return Buffer.from(JSON.stringify(body))
}

/** A record as it lies on a remote by itself. */
export function compressRecord(json: Uint8Array): Buffer {
  return gzipSync(json, { level: 6 })
}

/** @throws CORRUPT; MALFORMED for one that swells past any honest size */
export function decompressRecord(bytes: Uint8Array, id: RecordId): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_RECORD_BYTES })
  } catch (cause) {
    throw notDecompressed(`root record ${id}`, cause)
  }
}

/** What to say where a record, or a bundle of them, cannot be decompressed. */
export function notDecompressed(where: string, cause: unknown): VarveError {
  if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
    return new VarveError('MALFORMED', `${where}: too large`, { cause })
  }
  return new VarveError('CORRUPT', `${where}: its bytes do not match its name`, { hint: HINT, cause })
}

const HINT = 'Remove it from the remote, then push again from a clone that has the data.'

export function recordIdOf(json: Uint8Array): RecordId {
  return hexOf(digestOf(json)) as RecordId
}

export function isRecordId(text: string): text is RecordId {
  return /^[0-9a-f]{64}$/.test(text)
}

/** @throws CORRUPT when the JSON is not that of `id`; MALFORMED; TOO_NEW */
export function decodeRootRecord(json: Uint8Array, id: RecordId): RootRecord {
  const where = `root record ${id}`
  if (recordIdOf(json) !== id) {
    throw new VarveError('CORRUPT', `${where}: its bytes do not match its name`, { hint: HINT })
  }
  return new RecordParser(where).parse(json)
}

class RecordParser {
  readonly #where: string

  constructor(where: string) {
    this.#where = where
  }

  parse(json: Uint8Array): RootRecord {
    const body = this.#object(this.#json(json), 'the record')
    if (body.varve !== RECORD_VERSION) {
      if (typeof body.varve !== 'number') this.#fail('varve')
      throw new VarveError('TOO_NEW', `${this.#where}: version ${body.varve} of the record format`, {
        hint: 'Upgrade varve to read this remote.',
      })
    }
    if (body.kind !== 'intent' && body.kind !== 'final') this.#fail('kind')
    const packs = this.#array(body.packs, 'packs').map((pack) => this.#pack(pack))
    return {
      kind: body.kind,
      repository: this.#string(body.repository, 'repository'),
      createdAt: this.#string(body.createdAt, 'createdAt'),
      who: this.#string(body.who, 'who'),
      commits: this.#strings(body.commits, 'commits'),
      packs,
      pointers: this.#array(body.pointers, 'pointers').map((pointer) => this.#pointer(pointer, packs.length)),
    }
  }

  #json(bytes: Uint8Array): unknown {
    try {
      return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    } catch (cause) {
      throw new VarveError('MALFORMED', `${this.#where}: not JSON`, { cause })
    }
  }

  #pack(value: unknown): RecordPack {
    const [name, packClass, sizeBytes, tailBytes] = this.#array(value, 'packs')
    if (typeof name !== 'string' || !isPackName(name)) this.#fail('packs')
    if (packClass !== 'data' && packClass !== 'metadata') this.#fail('packs')
    const size = this.#count(sizeBytes, MAX_PACK_BYTES, 'packs')
    const mostTail = Math.min(size, MAX_TABLE_BYTES + PACK_FOOTER_BYTES)
    return { name, class: packClass, sizeBytes: size, tailBytes: this.#count(tailBytes, mostTail, 'packs') }
  }

  #pointer(value: unknown, packCount: number): RecordPointer {
    const body = this.#object(value, 'pointers')
    const id = this.#string(body.id, 'pointers')
    if (!isContentId(id)) this.#fail('pointers')
    return {
      path: this.#string(body.path, 'pointers'),
      id,
      sizeBytes: this.#count(body.sizeBytes, Number.MAX_SAFE_INTEGER, 'pointers'),
      ...(body.only === undefined ? {} : { only: this.#strings(body.only, 'pointers') }),
      packs: this.#array(body.packs, 'pointers').map((index) =>
        this.#count(index, packCount - 1, 'pointers'),
      ),
    }
  }

  #object(value: unknown, key: string): Record<string, unknown> {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) this.#fail(key)
    return value as Record<string, unknown>
  }

  #array(value: unknown, key: string): unknown[] {
    return Array.isArray(value) ? value : this.#fail(key)
  }

  #string(value: unknown, key: string): string {
    return typeof value === 'string' ? value : this.#fail(key)
  }

  #strings(value: unknown, key: string): string[] {
    return this.#array(value, key).map((item) => this.#string(item, key))
  }

  #count(value: unknown, most: number, key: string): number {
    const good = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most
    return good ? value : this.#fail(key)
  }

  #fail(key: string): never {
    throw new VarveError('MALFORMED', `${this.#where}: \`${key}\` is not what it should be`)
  }
}
