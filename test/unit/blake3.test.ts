import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Blake3, blake3, loadNativeBlake3, loadWasmBlake3 } from '../../core/blake3.ts'

const native = loadNativeBlake3()
const wasm = await loadWasmBlake3()

/** The input of the published test vectors: 0, 1, ..., 250, 0, 1, ... */
function vectorInput(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => i % 251))
}

const VECTORS: [length: number, hash: string][] = [
  [0, 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'],
  [1, '2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213'],
  [1023, '10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11'],
  [1024, '42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7'],
  [1025, 'd00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444'],
  [102400, 'bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085'],
]

describe.each([native, wasm])('BLAKE3, $implementation', (implementation: Blake3) => {
  test.each(VECTORS)('of %i bytes is what the test vectors say', (length, hash) => {
    const input = vectorInput(length)
    expect(implementation.digest(input).toString('hex')).toBe(hash)
    const hasher = implementation.createHasher()
    hasher.update(input)
    expect(hasher.digest().toString('hex')).toBe(hash)
  })

  test('is the same however the bytes come', () => {
    const input = vectorInput(5000)
    const whole = implementation.digest(input)
    fc.assert(
      fc.property(fc.array(fc.nat(input.length), { maxLength: 8 }), (cuts) => {
        const hasher = implementation.createHasher()
        let start = 0
        for (const cut of [...cuts.toSorted((a, b) => a - b), input.length]) {
          hasher.update(input.subarray(start, cut))
          start = cut
        }
        expect(hasher.digest()).toEqual(whole)
      }),
    )
  })

  test('of two hashers at once keeps them apart', () => {
    const [a, b] = [implementation.createHasher(), implementation.createHasher()]
    const input = vectorInput(3000)
    for (let at = 0; at < 3000; at += 100) {
      a.update(input.subarray(at, at + 100))
      implementation.digest(input)
      b.update(input.subarray(2900 - at, 3000 - at))
    }
    expect(a.digest()).toEqual(implementation.digest(input))
    expect(b.digest()).not.toEqual(a.digest())
  })

  test('reads views, on shared memory too', () => {
    const input = vectorInput(1200)
    const shared = new Uint8Array(new SharedArrayBuffer(2000), 100, 1200)
    shared.set(input)
    expect(implementation.digest(shared)).toEqual(implementation.digest(input))
    const hasher = implementation.createHasher()
    hasher.update(shared.subarray(0, 700))
    hasher.update(shared.subarray(700))
    expect(hasher.digest()).toEqual(implementation.digest(input))
  })
})

test('the two implementations agree', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
      expect(wasm.digest(bytes)).toEqual(native.digest(bytes))
    }),
  )
})

test('the native one is taken where there is one', () => {
  expect(blake3.implementation).toBe('native')
})
