import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checksumOf } from '../../../core/checksum.ts'
import { contentIdOf, digestOf } from '../../../core/content-id.ts'
import type { EntryKind } from '../../../core/format/pack.ts'
import { decodeEntry, EntryEncoder, verifyChecksum } from '../../../core/store/entry-codec.ts'
import { varveErrorOf } from '../../support/varve-error.ts'

const text = readFileSync(new URL('../../../package-lock.json', import.meta.url))

function decode(raw: Uint8Array, change: { digest?: Buffer; kind?: EntryKind; rawBytes?: number } = {}) {
  const { codec, stored } = encode(raw)
  const kind = change.kind ?? 'chunk'
  const entry = { kind, codec, digest: digestOf(raw), rawBytes: raw.length, ...change }
  return decodeEntry({ ...entry, stored: Buffer.from(stored) })
}

const encode = (raw: Uint8Array) => new EntryEncoder().encode(raw)

describe('EntryEncoder', () => {
  test.each([
    ['text', 'zstd', text.subarray(0, 57_000)],
    ['zeros', 'zstd', Buffer.alloc(57_000)],
    ['a short text that repeats', 'zstd', Buffer.from('abc'.repeat(100))],
    ['what is too short to gain', 'raw', Buffer.alloc(127)],
    ['nothing', 'raw', Buffer.alloc(0)],
    ['noise', 'raw', randomBytes(57_000)],
    ['short noise', 'raw', randomBytes(1000)],
  ])('stores %s as %s', (_, codec, raw) => {
    const encoded = encode(raw)
    expect(encoded.codec).toBe(codec)
    if (codec === 'raw') expect(encoded.stored).toBe(raw)
    else expect(encoded.stored.length).toBeLessThanOrEqual(raw.length * 0.95)
    expect(decode(raw)).toEqual(Buffer.from(raw))
  })

  test('leaves raw what shrinks by less than 5 %', () => {
    // Noise but for its last 4 %; the probe looks at the middle, so the end decides nothing by itself.
    const raw = Buffer.concat([randomBytes(9600), Buffer.alloc(400)])
    expect(encode(raw).codec).toBe('raw')
    expect(encode(Buffer.concat([randomBytes(9000), Buffer.alloc(1000)])).codec).toBe('zstd')
  })

  test('looks now and then only at what follows much that does not shrink', () => {
    const encoder = new EntryEncoder()
    const codecs = (count: number, make: () => Uint8Array) =>
      Array.from({ length: count }, () => encoder.encode(make()).codec)
    expect(codecs(20, () => randomBytes(40_000))).toEqual(Array(20).fill('raw'))
    // What is small costs little, and is always tried.
    expect(codecs(3, () => text.subarray(0, 5000))).toEqual(Array(3).fill('zstd'))
    const texts = codecs(30, () => text.subarray(0, 40_000))
    const passedOver = texts.indexOf('zstd')
    expect(passedOver).toBeGreaterThan(0)
    expect(passedOver).toBeLessThan(8)
    expect(texts.slice(passedOver)).toEqual(Array(30 - passedOver).fill('zstd'))
    expect(codecs(16, () => randomBytes(40_000))).toEqual(Array(16).fill('raw'))
  })

  test('comes back whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (raw) => {
        expect(decode(raw)).toEqual(Buffer.from(raw))
      }),
    )
  })
})

describe('decodeEntry', () => {
  test.each(['chunk', 'node'] as const)('refuses a %s that is another, and names it', (kind) => {
    for (const raw of [text.subarray(0, 5000), randomBytes(500)]) {
      const { code, message, hint } = varveErrorOf(() =>
        decode(raw, { kind, digest: digestOf(Buffer.from('x')) }),
      )
      expect(code).toBe('CORRUPT')
      expect(message).toBe(
        `${kind} ${contentIdOf(Buffer.from('x'))} is damaged: its bytes do not match its id`,
      )
      expect(hint).toContain('varve verify --rebuild-index')
    }
  })

  test('gives a recipe under the digest of the blob that it rebuilds', () => {
    const payload = Buffer.alloc(40, 7)
    expect(decode(payload, { kind: 'recipe', digest: digestOf(Buffer.from('blob')) })).toEqual(payload)
  })

  test('refuses a compressed entry of another length', () => {
    expect(varveErrorOf(() => decode(text.subarray(0, 5000), { rawBytes: 4999 })).code).toBe('CORRUPT')
  })

  test('refuses stored bytes with any bit flipped', () => {
    const raw = text.subarray(0, 600)
    const { codec, stored } = encode(raw)
    expect(codec).toBe('zstd')
    for (let at = 0; at < stored.length; at++) {
      const wrong = Buffer.from(stored)
      wrong[at]! ^= 0x10
      const entry = {
        kind: 'chunk' as const,
        codec,
        digest: digestOf(raw),
        rawBytes: raw.length,
        stored: wrong,
      }
      let decoded: Buffer | undefined
      try {
        decoded = decodeEntry(entry)
      } catch (error) {
        expect(['CORRUPT', 'HOSTILE']).toContain((error as { code: string }).code)
      }
      // Unused bits of a frame may flip without a trace.
      if (decoded !== undefined) expect(decoded).toEqual(Buffer.from(raw))
    }
  })
})

test('verifyChecksum refuses other bytes, and names the entry', () => {
  const stored = Buffer.from('stored')
  const entry = { kind: 'node' as const, digest: digestOf(stored), checksum: checksumOf(stored) }
  verifyChecksum(entry, stored)
  const { code, message } = varveErrorOf(() => verifyChecksum(entry, Buffer.from('Stored')))
  expect(code).toBe('CORRUPT')
  expect(message).toContain(`node ${contentIdOf(stored)} is damaged`)
})
