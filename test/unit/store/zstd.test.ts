import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  loadNativeZstd,
  loadNodeZstd,
  loadWasmZstd,
  loadZstd,
  refuseBomb,
  type Zstd,
  zstd,
} from '../../../core/store/zstd.ts'
import { damaged } from '../../support/damage.ts'
import { outcomeOf, varveErrorOf } from '../../support/varve-error.ts'

const implementations: Zstd[] = [loadNativeZstd(), await loadWasmZstd()]
try {
  implementations.push(loadNodeZstd())
} catch {
  // Node before 22.15.
}

const text = readFileSync(new URL('../../../package-lock.json', import.meta.url))
const SAMPLES: Record<string, Buffer> = {
  nothing: Buffer.alloc(0),
  'one byte': Buffer.from('x'),
  zeros: Buffer.alloc(300_000),
  text,
  noise: Buffer.from(Array.from({ length: 70_000 }, (_, i) => (Math.imul(i, 0x9e3779b1) >>> 13) & 0xff)),
}

/** A frame of blocks that each stand for 128 KiB of one byte. */
function runFrame(blocks: number): Buffer {
  const parts = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58])]
  for (let i = 0; i < blocks; i++) {
    const block = Buffer.alloc(4, 0x41)
    block.writeUIntLE((0x2_0000 << 3) | (1 << 1) | (i === blocks - 1 ? 1 : 0), 0, 3)
    parts.push(block)
  }
  return Buffer.concat(parts)
}

describe.each(implementations)('zstd, $implementation', (one) => {
  test.each(Object.keys(SAMPLES))('reads %s as every implementation writes it', (name) => {
    const sample = SAMPLES[name]!
    for (const other of implementations) {
      const frame = other.compress(sample)
      expect(Buffer.compare(one.decompress(frame, sample.length), sample)).toBe(0)
    }
  })

  test('reads any bytes that it wrote', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        expect(one.decompress(one.compress(bytes), bytes.length)).toEqual(Buffer.from(bytes))
      }),
    )
  })

  test('reads frames that lie end to end, whoever wrote them', () => {
    const samples = Object.values(SAMPLES).flatMap((sample) =>
      implementations.map((other) => ({ sample, frame: other.compress(sample) })),
    )
    const frames = samples.map(({ sample, frame }) => ({
      storedBytes: frame.length,
      rawBytes: sample.length,
    }))
    const bytes = Buffer.concat(samples.map(({ frame }) => frame))
    const raw = one.decompressRun(bytes, frames)
    expect(raw.map((bytes, index) => bytes.equals(samples[index]!.sample))).toEqual(raw.map(() => true))
    expect(raw).toHaveLength(samples.length)
    frames[2]!.rawBytes++
    expect(varveErrorOf(() => one.decompressRun(bytes, frames)).code).toBe('CORRUPT')
  })

  test('does not decompress bombs that are small one by one', () => {
    const bombs = Array.from({ length: 40 }, () => runFrame(20))
    const frames = bombs.map((frame) => ({ storedBytes: frame.length, rawBytes: 1000 }))
    const { code } = varveErrorOf(() => one.decompressRun(Buffer.concat(bombs), frames))
    expect(['HOSTILE', 'CORRUPT']).toContain(code)
  })

  test('does not let a frame that is cut short take the head of the next, and show what hid behind it', () => {
    // A last raw block that claims 13 bytes, of which one is here: the next frame's first twelve would be the others.
    const cut = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x0d, 0x69, 0x00, 0x00, 0x41])
    const hidden = runFrame(500)
    const shell = Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0, 0, 0, 0, 0]), hidden])
    shell.writeUInt32LE(hidden.length, 5)
    shell.writeUIntLE((hidden.length << 3) | 1, 9, 3)
    const frames = [cut, shell].map((frame) => ({ storedBytes: frame.length, rawBytes: frame.length }))
    expect(varveErrorOf(() => one.decompressRun(Buffer.concat([cut, shell]), frames)).code).toBe('CORRUPT')
  })

  test('compresses what repeats', () => {
    expect(one.compress(text).length).toBeLessThan(text.length / 2)
  })

  test('refuses a frame that gives another length', () => {
    const frame = one.compress(text)
    for (const rawBytes of [0, text.length - 1, text.length + 1]) {
      expect(varveErrorOf(() => one.decompress(frame, rawBytes)).code).toBe('CORRUPT')
    }
  })

  test('throws nothing but errors of ours at damage, and is none the worse', () => {
    const sample = text.subarray(0, 3000)
    const frame = one.compress(sample)
    for (const wrong of damaged(frame)) outcomeOf(() => one.decompress(wrong, sample.length))
    for (const garbage of [Buffer.alloc(0), Buffer.from('garbage'), Buffer.alloc(1000, 0xff)]) {
      expect(varveErrorOf(() => one.decompress(garbage, 10)).code).toBe('CORRUPT')
    }
    expect(one.decompress(frame, sample.length)).toEqual(sample)
  })

  test('does not decompress a bomb', () => {
    const honest = runFrame(4)
    expect(one.decompress(honest, 4 << 17)).toEqual(Buffer.alloc(4 << 17, 0x41))
    const bomb = runFrame(20_000)
    expect(bomb.length).toBeLessThan(100_000)
    expect(['HOSTILE', 'CORRUPT']).toContain(varveErrorOf(() => one.decompress(bomb, 1000)).code)
  })
})

describe('refuseBomb', () => {
  test('passes the frames of real data, at every level', async () => {
    const native = createRequire(import.meta.url)(
      '@toondepauw/node-zstd',
    ) as typeof import('@toondepauw/node-zstd')
    // As large as any entry may be, and as large as chunks are.
    const large = Buffer.concat(Array.from({ length: Math.ceil((4 << 20) / text.length) }, () => text))
    for (let level = 1; level <= 19; level++) {
      const encoder = new native.Encoder(level)
      for (const sample of [
        ...Object.values(SAMPLES),
        ...(level % 6 === 1 ? [large.subarray(0, 4 << 20)] : []),
      ]) {
        const frame = encoder.encodeSync(sample)
        expect(refuseBomb(frame)).toBe(frame)
      }
    }
  })

  test('refuses what could swell past 64 MiB', () => {
    const most = runFrame(512)
    expect(refuseBomb(most)).toBe(most)
    expect(varveErrorOf(() => refuseBomb(runFrame(513))).code).toBe('HOSTILE')
  })

  test('refuses a frame that claims to be larger, whatever is in it', () => {
    // A decoder that allocates what the frame claims would take a gigabyte for this byte.
    const claim = (contentSize: bigint) => {
      const frame = Buffer.alloc(5 + 8 + 4)
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xe0]).copy(frame)
      frame.writeBigUInt64LE(contentSize, 5)
      frame.writeUIntLE((1 << 3) | 1, 13, 3)
      return frame
    }
    expect(refuseBomb(claim(64n << 20n))).toHaveLength(17)
    for (const size of [(64n << 20n) + 1n, 1n << 30n, 2n ** 64n - 1n]) {
      expect(varveErrorOf(() => refuseBomb(claim(size))).code).toBe('HOSTILE')
    }
    for (const one of implementations) {
      if (one.implementation === 'node') continue
      expect(varveErrorOf(() => one.decompress(claim(1n << 30n), 1)).code).toBe('HOSTILE')
    }
  })

  test('refuses a frame that hides behind another', () => {
    const small = zstd.compress(Buffer.from('small'))
    expect(varveErrorOf(() => refuseBomb(Buffer.concat([small, runFrame(600)]))).code).toBe('HOSTILE')
    // A skippable frame, whose bytes would pass for the header of a frame with one large block.
    const skippable = Buffer.alloc(108)
    skippable.writeUInt32LE(0x184d2a50, 0)
    skippable.writeUInt32LE(100, 4)
    const hidden = Buffer.concat([skippable, runFrame(600)])
    expect(varveErrorOf(() => refuseBomb(hidden)).code).toBe('CORRUPT')
    for (const one of implementations) {
      expect(varveErrorOf(() => one.decompress(hidden, 600 << 17)).code).toBe('CORRUPT')
    }
  })

  test('leaves what is cut short to the decoder', () => {
    const frame = zstd.compress(text)
    for (let length = 4; length < 60; length++) refuseBomb(frame.subarray(0, length))
  })
})

test('the best implementation that there is, is taken', async () => {
  const expected =
    implementations.find(({ implementation }) => implementation === 'node') ?? implementations[0]!
  expect((await loadZstd()).implementation).toBe(expected.implementation)
  expect(zstd.implementation).toBe(expected.implementation)
})
