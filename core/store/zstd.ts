import { createRequire } from 'node:module'
import * as zlib from 'node:zlib'
import { VarveError } from '../errors.ts'
import { loadNative } from '../load-native.ts'

export interface Zstd {
  readonly implementation: 'node' | 'native' | 'wasm'
  compress(bytes: Uint8Array): Buffer
  /** @throws CORRUPT unless the frame gives exactly `rawBytes`. Never allocates past 64 MiB. */
  decompress(frame: Uint8Array, rawBytes: number): Buffer
  /**
   * Several frames that lie end to end in `bytes`: what a decoder sets up for each call costs as much as a small frame.
   * The results may share memory. @throws as `decompress` does, if one of them is wrong
   */
  decompressRun(bytes: Buffer, frames: readonly Frame[]): Buffer[]
}

export type Frame = { storedBytes: number; rawBytes: number }

/** Level 1: 200 MB/s a core; level 3 costs a third of that for 3 to 5 % of size. */
const LEVEL = 1

/** Node has zstd of its own from 22.15 on. */
export function loadNodeZstd(): Zstd {
  type NodeZstd = {
    zstdCompressSync(bytes: Uint8Array, options: { params: Record<number, number> }): Buffer
    zstdDecompressSync(bytes: Uint8Array, options: { maxOutputLength: number }): Buffer
  }
  const { zstdCompressSync, zstdDecompressSync } = zlib as unknown as Partial<NodeZstd>
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined) {
    throw new Error('this version of Node has no zstd')
  }
  const levelParameter = (zlib.constants as Record<string, number>).ZSTD_c_compressionLevel!
  const decompressOne = (frame: Uint8Array, rawBytes: number) =>
    checked(rawBytes, () => zstdDecompressSync(frame, { maxOutputLength: Math.max(1, rawBytes) }))
  return {
    implementation: 'node',
    compress: (bytes) => zstdCompressSync(bytes, { params: { [levelParameter]: LEVEL } }),
    decompress: decompressOne,
    decompressRun: (bytes, frames) => oneByOne(decompressOne, bytes, frames),
  }
}

/** A native binding for older versions of Node. */
export function loadNativeZstd(): Zstd {
  const native = loadNative<typeof import('@toondepauw/node-zstd')>('@toondepauw/node-zstd')
  const encoder = new native.Encoder(LEVEL)
  const decoder = new native.Decoder()
  return {
    implementation: 'native',
    compress: (bytes) => encoder.encodeSync(asBuffer(bytes)),
    decompress: (frame, rawBytes) => checked(rawBytes, () => decoder.decodeSync(asBuffer(refuseBomb(frame)))),
    decompressRun(bytes, frames) {
      if (frames.length === 1) return [this.decompress(bytes, frames[0]!.rawBytes)]
      refuseBombs(bytes, frames)
      const rawBytes = frames.reduce((sum, frame) => sum + frame.rawBytes, 0)
      const raw = checked(rawBytes, () => decoder.decodeSync(bytes))
      return pieces(raw, frames, (frame) => frame.rawBytes)
    },
  }
}

/** The fallback for platforms without a binary: a third of the speed. */
export async function loadWasmZstd(): Promise<Zstd> {
  const wasm = createRequire(import.meta.url)('@bokuweb/zstd-wasm') as typeof import('@bokuweb/zstd-wasm')
  await wasm.init()
  const decompressOne = (frame: Uint8Array, rawBytes: number) =>
    checked(rawBytes, () =>
      asBuffer(wasm.decompress(refuseBomb(frame) as Buffer, { defaultHeapSize: rawBytes })),
    )
  return {
    implementation: 'wasm',
    compress: (bytes) => asBuffer(wasm.compress(bytes as Buffer, LEVEL)),
    decompress: decompressOne,
    decompressRun: (bytes, frames) => oneByOne(decompressOne, bytes, frames),
  }
}

function oneByOne(decompress: Zstd['decompress'], bytes: Buffer, frames: readonly Frame[]): Buffer[] {
  const stored = pieces(bytes, frames, (frame) => frame.storedBytes)
  return stored.map((frame, index) => decompress(frame, frames[index]!.rawBytes))
}

function pieces(bytes: Buffer, frames: readonly Frame[], lengthOf: (frame: Frame) => number): Buffer[] {
  let end = 0
  return frames.map((frame) => {
    const start = end
    end += lengthOf(frame)
    return bytes.subarray(start, end)
  })
}

/** The best that this platform has. */
export async function loadZstd(): Promise<Zstd> {
  for (const load of [loadNodeZstd, loadNativeZstd]) {
    try {
      return load()
    } catch {
      // The next one is slower and always there.
    }
  }
  return loadWasmZstd()
}

export const zstd: Zstd = await loadZstd()

function checked(rawBytes: number, decompress: () => Buffer): Buffer {
  let bytes: Buffer
  try {
    bytes = decompress()
  } catch (cause) {
    throw cause instanceof VarveError
      ? cause
      : new VarveError('CORRUPT', 'a compressed entry cannot be decompressed', { cause })
  }
  if (bytes.length !== rawBytes) {
    throw new VarveError('CORRUPT', `a compressed entry gave ${bytes.length} bytes instead of ${rawBytes}`)
  }
  return bytes
}

const MAX_OUTPUT_BYTES = 64 << 20
const MAX_BLOCK_BYTES = 128 << 10

const FRAME_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])

/**
 * Reads the headers of a frame and of its blocks (RFC 8878, section 3.1.1) and refuses one that claims to be, or could
 * swell, past 64 MiB, for decoders that take no limit and allocate by what the frame claims.
 * @throws HOSTILE; CORRUPT for what is no frame with data (a skippable one may hide others behind it)
 */
export function refuseBomb(frame: Uint8Array): Uint8Array {
  measureFrame(frame)
  return frame
}

/**
 * Also refuses frames that would swell past it together, and what is not exactly one frame a piece: a decoder goes on
 * where one ends, so that what is cut short would take the next one's first bytes and let in a frame nobody looked at.
 * @throws HOSTILE, CORRUPT
 */
function refuseBombs(bytes: Buffer, frames: readonly Frame[]): void {
  let mostBytes = 0
  for (const frame of pieces(bytes, frames, ({ storedBytes }) => storedBytes)) {
    const measured = measureFrame(frame)
    if (measured.lengthBytes !== frame.length) {
      throw new VarveError('CORRUPT', 'a compressed entry is not one whole frame')
    }
    mostBytes += measured.mostBytes
    if (mostBytes > MAX_OUTPUT_BYTES) bomb()
  }
}

function bomb(): never {
  throw new VarveError('HOSTILE', 'a compressed entry would swell past any honest size')
}

/** What the frame can swell to at most, and how long it is; the length is undefined where it is cut short. */
function measureFrame(frame: Uint8Array): { mostBytes: number; lengthBytes: number | undefined } {
  if (FRAME_MAGIC.compare(frame, 0, Math.min(4, frame.length)) !== 0) {
    throw new VarveError('CORRUPT', 'a compressed entry cannot be decompressed: it is no zstd frame')
  }
  const descriptor = frame[4] ?? 0
  const singleSegment = (descriptor & 0x20) !== 0
  const contentSizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!
  const contentSizeAt = 5 + (singleSegment ? 0 : 1) + dictionaryBytes
  let at = contentSizeAt + contentSizeBytes
  const contentSize = frame.subarray(contentSizeAt, at).reduceRight((sum, byte) => sum * 256 + byte, 0)
  if (contentSize > MAX_OUTPUT_BYTES) bomb()
  let mostBytes = 0
  for (;;) {
    // Cut short: alone, the decoder says so.
    if (at + 3 > frame.length) return { mostBytes, lengthBytes: undefined }
    const header = frame[at]! | (frame[at + 1]! << 8) | (frame[at + 2]! << 16)
    const size = header >>> 3
    const type = (header >>> 1) & 3
    mostBytes += type === 2 ? MAX_BLOCK_BYTES : size
    if (mostBytes > MAX_OUTPUT_BYTES) bomb()
    at += 3 + (type === 1 ? 1 : size)
    if ((header & 1) === 1) break
  }
  // What may follow the last block is a checksum; a second frame would escape the count.
  if (frame.length - at > 4) bomb()
  const checksumBytes = (descriptor & 4) !== 0 ? 4 : 0
  return { mostBytes: Math.max(mostBytes, contentSize), lengthBytes: at + checksumBytes }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
