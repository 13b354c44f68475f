import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { createCRC32, createCRC64, type IHasher } from 'hash-wasm'

export const CHECKSUM_ALGORITHMS = ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'] as const
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number]

/** `value` is as headers have it: Base64, and of a composite one `-` and the number of parts. */
export type Checksum = {
  algorithm: ChecksumAlgorithm
  type: 'FULL_OBJECT' | 'COMPOSITE'
  value: string
}

export type Checksummer = { update(bytes: Uint8Array): void; digest(): Buffer }

/** Reflected, as both are computed. */
const CRC32C_POLYNOMIAL = 0x82f63b78
const CRC64NVME_POLYNOMIAL = '9a6c9329ac4bc9b5'

export async function createChecksummer(algorithm: ChecksumAlgorithm): Promise<Checksummer> {
  switch (algorithm) {
    case 'crc32':
      return createCrc32()
    case 'crc32c':
      return fromHasher(await createCRC32(CRC32C_POLYNOMIAL))
    case 'crc64nvme':
      return fromHasher(await createCRC64(CRC64NVME_POLYNOMIAL))
    case 'sha1':
    case 'sha256':
      return createHash(algorithm)
  }
}

/** The checksum of checksums that S3 gives an object of several parts. */
export async function compositeChecksum(
  algorithm: ChecksumAlgorithm,
  partValues: readonly string[],
): Promise<Checksum> {
  const checksummer = await createChecksummer(algorithm)
  for (const value of partValues) checksummer.update(Buffer.from(value, 'base64'))
  const value = `${checksummer.digest().toString('base64')}-${partValues.length}`
  return { algorithm, type: 'COMPOSITE', value }
}

export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm}`
}

/** The name of its element in XML. */
export function checksumElement(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm.toUpperCase()}`
}

export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  if (checksum === undefined) return {}
  return { [checksumHeader(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type }
}

function createCrc32(): Checksummer {
  let value = 0
  return {
    update: (bytes) => {
      value = crc32(bytes, value)
    },
    digest: () => {
      const digest = Buffer.alloc(4)
      digest.writeUInt32BE(value)
      return digest
    },
  }
}

function fromHasher(hasher: IHasher): Checksummer {
  hasher.init()
  return {
    update: (bytes) => void hasher.update(bytes),
    digest: () => Buffer.from(hasher.digest('binary')),
  }
}
