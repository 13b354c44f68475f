import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DigestSet } from '../../../core/store/digest-set.ts'
import { numberedDigest } from '../../support/rows.ts'

// Few first bytes: digests that collide in their slot, and some that are equal.
const anyDigest = fc
  .tuple(fc.constantFrom(0, 1, 0xff), fc.nat(3), fc.nat(40))
  .map(([first, fourth, last]) => {
    const digest = Buffer.alloc(32)
    digest[0] = first
    digest[3] = fourth
    digest[31] = last
    return digest
  })

test('behaves as a Set does', () => {
  fc.assert(
    fc.property(fc.array(anyDigest, { maxLength: 400 }), fc.array(anyDigest), (added, asked) => {
      const set = new DigestSet()
      const model = new Set<string>()
      for (const digest of added) {
        const hex = digest.toString('hex')
        expect(set.has(digest)).toBe(model.has(hex))
        expect(set.add(digest)).toBe(!model.has(hex))
        model.add(hex)
      }
      expect(set.size).toBe(model.size)
      for (const digest of asked) expect(set.has(digest)).toBe(model.has(digest.toString('hex')))
      expect([...set].map((digest) => digest.toString('hex')).sort()).toEqual([...model].sort())
    }),
  )
})

test('grows, and keeps what it has', () => {
  const set = new DigestSet()
  for (let i = 0; i < 20_000; i++) expect(set.add(numberedDigest(i))).toBe(true)
  expect(set.size).toBe(20_000)
  for (let i = 0; i < 20_000; i++) expect(set.has(numberedDigest(i))).toBe(true)
  for (let i = 20_000; i < 21_000; i++) expect(set.has(numberedDigest(i))).toBe(false)
  expect([...set]).toHaveLength(20_000)
})

test('keeps a copy, and holds the digest of nothing but zeros', () => {
  const set = new DigestSet()
  const digest = Buffer.alloc(32)
  expect(set.has(digest)).toBe(false)
  set.add(digest)
  digest.fill(1)
  expect([set.has(Buffer.alloc(32)), set.has(digest)]).toEqual([true, false])
})

test('says how many were added before a member', () => {
  const set = new DigestSet()
  for (let i = 0; i < 3000; i++) set.add(numberedDigest(i))
  set.add(numberedDigest(7))
  expect([0, 7, 2999].map((i) => set.indexOf(numberedDigest(i)))).toEqual([0, 7, 2999])
  expect(set.indexOf(numberedDigest(3000))).toBe(-1)
})
