import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import { digestOf, hexOf } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import { isRecordId, MAX_RECORD_BYTES, notDecompressed, type RecordId, recordIdOf } from './root-record.ts'

/** The BLAKE3 of what is compressed in a bundle, 64 hex digits. */
export type BundleName = string & { readonly [bundleNameBrand]: true }
declare const bundleNameBrand: unique symbol

export type BundledRecord = {
  id: RecordId
  /** ISO 8601, by the server's clock: when the record appeared on the remote by itself. */
  writtenAt: string
  json: Uint8Array
}

/** Many final records of a repository in one object. */
export type RecordBundle = {
  /** Bundles whose records are all in this one. */
  supersedes: BundleName[]
  records: BundledRecord[]
}

const BUNDLE_VERSION = 1
const NEWLINE = 0x0a

/** A line of JSON that says what follows, then each record's JSON, in Brotli: most records repeat the one before. */
export function encodeRecordBundle(bundle: RecordBundle): { name: BundleName; bytes: Buffer } {
  const header = {
    varve: BUNDLE_VERSION,
    supersedes: bundle.supersedes,
    records: bundle.records.map(({ id, writtenAt, json }) => [id, writtenAt, json.length]),
  }
  const parts = [Buffer.from(`${JSON.stringify(header)}\n`), ...bundle.records.map(({ json }) => json)]
  const content = Buffer.concat(parts)
  const bytes = brotliCompressSync(content, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 5,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    },
  })
  return { name: hexOf(digestOf(content)) as BundleName, bytes }
}

export function isBundleName(text: string): text is BundleName {
  return /^[0-9a-f]{64}$/.test(text)
}

/** Each record's JSON is a view, proven by its id. @throws CORRUPT, MALFORMED, TOO_NEW */
export function decodeRecordBundle(bytes: Uint8Array, name: BundleName): RecordBundle {
  const where = `record bundle ${name}`
  const content = decompress(bytes, where)
  if (hexOf(digestOf(content)) !== name) {
    throw new VarveError('CORRUPT', `${where}: its bytes do not match its name`)
  }
  const end = content.indexOf(NEWLINE)
  const header = parseHeader(content.subarray(0, Math.max(0, end)), where)
  let at = end + 1
  const records = header.records.map(({ id, writtenAt, sizeBytes }) => {
    const json = content.subarray(at, at + sizeBytes)
    at += sizeBytes
    if (recordIdOf(json) !== id) throw new VarveError('CORRUPT', `${where}: record ${id} has other bytes`)
    return { id, writtenAt, json }
  })
  if (at !== content.length) throw malformed(where, 'records that do not fill it')
  return { supersedes: header.supersedes, records }
}

function decompress(bytes: Uint8Array, where: string): Buffer {
  try {
    return brotliDecompressSync(bytes, { maxOutputLength: MAX_RECORD_BYTES })
  } catch (cause) {
    throw notDecompressed(where, cause)
  }
}

type Header = {
  supersedes: BundleName[]
  records: { id: RecordId; writtenAt: string; sizeBytes: number }[]
}

function parseHeader(line: Buffer, where: string): Header {
  let body: { varve?: unknown; supersedes?: unknown; records?: unknown } | null
  try {
    body = JSON.parse(line.toString('utf8'))
  } catch (cause) {
    throw malformed(where, 'no header', cause)
  }
  if (typeof body !== 'object' || typeof body?.varve !== 'number') throw malformed(where, 'no header')
  if (body.varve !== BUNDLE_VERSION) {
    throw new VarveError('TOO_NEW', `${where}: version ${body.varve} of the format`, {
      hint: 'Upgrade varve to read this remote.',
    })
  }
  const { supersedes, records } = body
  if (!Array.isArray(supersedes) || !supersedes.every((name) => isText(name) && isBundleName(name))) {
    throw malformed(where, '`supersedes` is not what it should be')
  }
  if (!Array.isArray(records)) throw malformed(where, '`records` is not what it should be')
  return { supersedes, records: records.map((record) => parseRecord(record, where)) }
}

function parseRecord(value: unknown, where: string): Header['records'][number] {
  const [id, writtenAt, sizeBytes] = Array.isArray(value) ? value : []
  const isSize = Number.isSafeInteger(sizeBytes) && sizeBytes >= 0 && sizeBytes <= MAX_RECORD_BYTES
  if (!isText(id) || !isRecordId(id) || !isText(writtenAt) || !isSize) {
    throw malformed(where, '`records` is not what it should be')
  }
  return { id, writtenAt, sizeBytes }
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function malformed(where: string, why: string, cause?: unknown): VarveError {
  return new VarveError('MALFORMED', `${where}: ${why}`, { cause })
}
