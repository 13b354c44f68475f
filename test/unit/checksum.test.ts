import { expect, test } from 'vitest'
import { checksumOf } from '../../core/checksum.ts'

// From the reference implementation, seed 0.
test.each([
  ['', 0xef46db3751d8e999n],
  ['a', 0xd24ec4f1a98c6e5bn],
  ['abc', 0x44bc2cf5ad770999n],
  ['Nobody inspects the spammish repetition', 0xfbcea83c8a378bf1n],
])('XXH64 of %j', (text, checksum) => {
  expect(checksumOf(Buffer.from(text))).toBe(checksum)
})

test('reads views, on shared memory too', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(10), 3, 3)
  shared.set(Buffer.from('abc'))
  expect(checksumOf(shared)).toBe(0x44bc2cf5ad770999n)
})

test('does not depend on what was hashed before', () => {
  const large = Buffer.alloc(5 << 20, 7)
  const first = checksumOf(large)
  checksumOf(Buffer.from('abc'))
  expect(checksumOf(large)).toBe(first)
})
