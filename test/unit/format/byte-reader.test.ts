import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteReader } from '../../../core/format/byte-reader.ts'
import { ByteWriter } from '../../../core/format/byte-writer.ts'
import { varveErrorOf } from '../../support/varve-error.ts'

type Value =
  | { type: 'u8' | 'u16' | 'u32' | 'u64' | 'f64'; value: number }
  | { type: 'bigU64'; value: bigint }
  | { type: 'bytes'; value: Uint8Array }

const anyValue: fc.Arbitrary<Value> = fc.oneof(
  fc.record({ type: fc.constant('u8' as const), value: fc.nat(0xff) }),
  fc.record({ type: fc.constant('u16' as const), value: fc.nat(0xffff) }),
  fc.record({ type: fc.constant('u32' as const), value: fc.integer({ min: 0, max: 0xffff_ffff }) }),
  fc.record({ type: fc.constant('u64' as const), value: fc.maxSafeNat() }),
  fc.record({ type: fc.constant('f64' as const), value: fc.double() }),
  fc.record({ type: fc.constant('bigU64' as const), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
  fc.record({ type: fc.constant('bytes' as const), value: fc.uint8Array({ maxLength: 20 }) }),
)

function write(writer: ByteWriter, { type, value }: Value): void {
  if (type === 'bytes') writer.bytes(value)
  else if (type === 'bigU64') writer.bigU64(value)
  else writer[type](value)
}

function read(reader: ByteReader, { type, value }: Value): unknown {
  return type === 'bytes' ? new Uint8Array(reader.bytes(value.length)) : reader[type]()
}

describe('ByteReader', () => {
  test('reads what ByteWriter wrote, and nothing past it', () => {
    fc.assert(
      fc.property(fc.array(anyValue), (values) => {
        const writer = new ByteWriter(0)
        for (const value of values) write(writer, value)
        const reader = new ByteReader(writer.view(), 'test')
        for (const value of values) expect(read(reader, value)).toEqual(value.value)
        expect([reader.offset, reader.remaining]).toEqual([writer.length, 0])
        reader.expectEnd()
        const { code, message } = varveErrorOf(() => reader.u8())
        expect([code, message]).toEqual(['MALFORMED', `test: cut short at byte ${writer.length}`])
      }),
    )
  })

  test.each(['u8', 'u16', 'u32', 'u64', 'bigU64', 'f64'] as const)(
    'refuses a %s that is cut short',
    (type) => {
      const { length } = new ByteWriter().zeros({ u8: 1, u16: 2, u32: 4, u64: 8, bigU64: 8, f64: 8 }[type])
      const reader = new ByteReader(Buffer.alloc(length - 1), 'thing')
      expect(varveErrorOf(() => reader[type]()).message).toBe('thing: cut short at byte 0')
      expect(reader.offset).toBe(0)
    },
  )

  test('refuses a length past the end, however large', () => {
    for (const count of [5, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      const reader = new ByteReader(Buffer.alloc(4), 'thing')
      expect(varveErrorOf(() => reader.bytes(count)).code).toBe('MALFORMED')
    }
  })

  test('refuses numbers of 2^53 and more', () => {
    for (const value of [2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
      const bytes = new ByteWriter().bigU64(value).finish()
      const { message } = varveErrorOf(() => new ByteReader(bytes, 'thing').u64())
      expect(message).toBe('thing: a number of 2^53 or more')
    }
  })

  test('refuses what is left at the end', () => {
    const reader = new ByteReader(Buffer.alloc(3), 'thing')
    reader.u8()
    expect(varveErrorOf(() => reader.expectEnd()).message).toBe('thing: 2 bytes after the end')
  })

  test('reads a view from where it begins', () => {
    const bytes = Buffer.from([9, 9, 1, 2, 9]).subarray(2, 4)
    const reader = new ByteReader(new Uint8Array(bytes.buffer, bytes.byteOffset, 2), 'thing')
    expect(reader.u16()).toBe(0x0201)
    reader.expectEnd()
  })
})
