import type * as Sdk from '@aws-sdk/client-s3'
import type { BufferPool } from './buffer-pool.ts'
import { PART_ATTEMPTS } from './clients.ts'
import { isDamagedOnTheWay, isNamed } from './s3-error.ts'

/** Of all parts but the last. A service takes no more than 10,000 parts: 160 GB, and no pack comes near. */
export const PART_BYTES = 16 << 20

type UploadOptions = {
  sdk: typeof Sdk
  client: Sdk.S3Client
  partClient: Sdk.S3Client
  pool: BufferPool
  target: { Bucket: string; Key: string; RequestPayer?: 'requester' }
  /** How it is to be stored. */
  stored: object
  sizeBytes: number
  bytes: AsyncIterable<Uint8Array>
  signal: AbortSignal | undefined
  /** Sends the last request, with its condition, if any. */
  complete: (send: (condition: object) => Promise<unknown>) => Promise<unknown>
  /** Whether the value is there, whole. */
  isThere: () => Promise<boolean>
}

type Part = { PartNumber: number; ETag: string | undefined; ChecksumCRC32: string | undefined }

/** Uploads a value in parts, several at once, each with a checksum; what fails leaves nothing behind. */
export async function uploadParts(options: UploadOptions): Promise<void> {
  const { sdk, client, partClient, target, stored, signal } = options
  const abort = signal && { abortSignal: signal }
  const { UploadId } = await client.send(
    new sdk.CreateMultipartUploadCommand({ ...target, ...stored, ChecksumAlgorithm: 'CRC32' }),
    abort,
  )
  const upload = { ...target, UploadId }
  try {
    const parts = await sendParts(options, upload)
    await options.complete((condition) =>
      partClient.send(
        new sdk.CompleteMultipartUploadCommand({
          ...upload,
          ...condition,
          MultipartUpload: { Parts: parts },
        }),
        abort,
      ),
    )
  } catch (error) {
    // The answer to a request that did its work may have been lost on its way.
    if (isNamed(error, 'NoSuchUpload') && (await options.isThere())) return
    await client.send(new sdk.AbortMultipartUploadCommand(upload)).catch(() => undefined)
    throw error
  }
}

async function sendParts(
  { sdk, partClient, pool, bytes, signal, sizeBytes }: UploadOptions,
  upload: { Bucket: string; Key: string; UploadId: string | undefined },
): Promise<Part[]> {
  const parts: Part[] = []
  const underWay = new Set<Promise<void>>()
  const stop = new AbortController()
  const abortSignal = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  let failure: { error: unknown } | undefined
  const send = (PartNumber: number, buffer: Buffer, Body: Buffer) => {
    const request = new sdk.UploadPartCommand({ ...upload, PartNumber, Body, ChecksumAlgorithm: 'CRC32' })
    const sending = sendUndamaged(() => partClient.send(request, { abortSignal }))
      .then(
        ({ ETag, ChecksumCRC32 }) => void parts.push({ PartNumber, ETag, ChecksumCRC32 }),
        (error) => {
          failure ??= { error }
          stop.abort()
        },
      )
      .finally(() => {
        underWay.delete(sending)
        pool.give(buffer)
      })
    underWay.add(sending)
  }

  let part = 0
  let sent = 0
  let buffer: Buffer | undefined
  let filled = 0
  try {
    for await (const piece of bytes) {
      for (let taken = 0; taken < piece.length; ) {
        if (failure !== undefined) throw failure.error
        buffer ??= await pool.take()
        const count = Math.min(piece.length - taken, PART_BYTES - filled)
        buffer.set(piece.subarray(taken, taken + count), filled)
        taken += count
        filled += count
        if (filled < PART_BYTES && sent + filled < sizeBytes) continue
        send(++part, buffer, buffer.subarray(0, filled))
        sent += filled
        buffer = undefined
        filled = 0
      }
    }
  } catch (error) {
    stop.abort()
    throw failure?.error ?? error
  } finally {
    if (buffer !== undefined) pool.give(buffer)
    // Their buffers belong to others from then on.
    await Promise.all(underWay)
  }
  if (failure !== undefined) throw failure.error
  return parts.sort((a, b) => a.PartNumber - b.PartNumber)
}

async function sendUndamaged<T>(send: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send()
    } catch (error) {
      if (attempt === PART_ATTEMPTS || !isDamagedOnTheWay(error)) throw error
    }
  }
}
