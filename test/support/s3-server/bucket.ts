import { randomBytes } from 'node:crypto'
import type { Checksum, ChecksumAlgorithm } from './checksums.ts'
import { ObjectMap } from './object-map.ts'
import type { StoredBytes } from './stored-bytes.ts'

export class Bucket {
  readonly objects = new ObjectMap()
  /** Uploads in parts that are neither completed nor aborted, by upload id. */
  readonly uploads = new Map<string, Upload>()
  #begun = 0

  /** Unique, hard to guess, and in the order of time, which is that of a listing. */
  nextUploadId(): string {
    return `${String(this.#begun++).padStart(8, '0')}-${randomBytes(18).toString('base64url')}`
  }
}

export type StoredObject = {
  bytes: StoredBytes
  /** In quotes. */
  etag: string
  modifiedAt: Date
  checksum: Checksum | undefined
  headers: StoredHeaders
}

/** What the request that made an object asked for. */
export type StoredHeaders = {
  contentType?: string
  contentEncoding?: string
  cacheControl?: string
  storageClass?: string
  serverSideEncryption?: string
  sseKmsKeyId?: string
  acl?: string
  requestPayer?: string
  metadata: Readonly<Record<string, string>>
}

export type Upload = {
  id: string
  key: string
  /** May be set back, to make an upload old. */
  initiatedAt: Date
  checksum: { algorithm: ChecksumAlgorithm; type: Checksum['type'] } | undefined
  headers: StoredHeaders
  parts: Map<number, UploadedPart>
}

export type UploadedPart = {
  bytes: StoredBytes
  md5: Buffer
  etag: string
  checksum: Checksum | undefined
  modifiedAt: Date
}
