import { expect, test } from 'vitest'
import { ByteWriter } from '../../../core/format/byte-writer.ts'

test('writes little-endian', () => {
  const bytes = new ByteWriter()
    .u8(0x01)
    .u16(0x0203)
    .u32(0x04050607)
    .u64(0x0008_090a_0b0c_0d0e)
    .bigU64(0xf0f1_f2f3_f4f5_f6f7n)
    .f64(1)
    .bytes(Buffer.from([0xaa, 0xbb]))
    .zeros(3)
    .finish()
  expect(bytes.toString('hex')).toBe(
    `01${'0302'}${'07060504'}${'0e0d0c0b0a090800'}${'f7f6f5f4f3f2f1f0'}${'000000000000f03f'}aabb000000`,
  )
})

test('writes whole numbers up to 2^53 - 1, and refuses those that are none', () => {
  const bytes = new ByteWriter()
    .u64(0)
    .u64(0xffff_ffff)
    .u64(2 ** 32)
    .u64(Number.MAX_SAFE_INTEGER)
    .view()
  expect(bytes.toString('hex')).toBe('0000000000000000ffffffff000000000000000001000000ffffffffffff1f00')
  expect(() => new ByteWriter().u64(-1)).toThrow(RangeError)
  expect(() => new ByteWriter().u32(2 ** 32)).toThrow(RangeError)
  expect(() => new ByteWriter().u16(-1)).toThrow(RangeError)
})

test.each([0, 1, 5, 1000])('grows from %i bytes and keeps what was written', (initialBytes) => {
  const writer = new ByteWriter(initialBytes)
  const expected: number[] = []
  for (let i = 0; i < 3000; i++) {
    writer.u8(i & 0xff)
    expected.push(i & 0xff)
  }
  expect(writer.length).toBe(3000)
  expect([...writer.view()]).toEqual(expected)
})

test('zeros over bytes of an earlier use', () => {
  const writer = new ByteWriter(8).bytes(Buffer.alloc(8, 0xff))
  writer.reset()
  expect(writer.length).toBe(0)
  expect(writer.zeros(8).view()).toEqual(Buffer.alloc(8))
})

test('finish gives a copy, view does not', () => {
  const writer = new ByteWriter(4).u8(1)
  const [copy, view] = [writer.finish(), writer.view()]
  writer.reset()
  writer.u8(2)
  expect([copy[0], view[0]]).toEqual([1, 2])
})
