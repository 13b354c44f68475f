import { type BundleName, decodeRecordBundle, isBundleName } from '../../format/record-bundle.ts'
import { decompressRecord, isRecordId, type RecordId } from '../../format/root-record.ts'

/** The last part of a key: a final record by itself, or a bundle of them. */
export type RecordFile = `${string}.final` | `${string}.bundle`

export type RecordFileContent = {
  /** Other bundles that this one stands in place of. */
  supersedes: BundleName[]
  records: { id: RecordId; json: Uint8Array; writtenAt?: string }[]
}

/** Undefined for a key that is of something else. */
export function recordFileOf(file: string): RecordFile | undefined {
  const [name = '', kind] = file.split('.', 2)
  if (kind === 'final' && isRecordId(name) && file.length === 70) return `${name}.final`
  if (kind === 'bundle' && isBundleName(name) && file.length === 71) return `${name}.bundle`
  return undefined
}

export function isBundle(name: RecordFile): boolean {
  return name.endsWith('.bundle')
}

export function bundleNameOf(name: RecordFile): BundleName {
  return name.slice(0, -'.bundle'.length) as BundleName
}

/** A bundle's records are proven; a single one is by whoever decodes it. @throws CORRUPT, MALFORMED, TOO_NEW */
export function readRecordFile(name: RecordFile, bytes: Buffer): RecordFileContent {
  if (isBundle(name)) return decodeRecordBundle(bytes, bundleNameOf(name))
  const id = name.slice(0, -'.final'.length) as RecordId
  return { supersedes: [], records: [{ id, json: decompressRecord(bytes, id) }] }
}
