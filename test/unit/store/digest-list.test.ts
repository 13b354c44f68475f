import { expect, test } from 'vitest'
import { digestOf } from '../../../core/content-id.ts'
import { DigestList, hashOf } from '../../../core/store/digest-list.ts'

const digests = Array.from({ length: 10_000 }, (_, i) => digestOf(Buffer.from(`${i}`)))

test('gives each digest again by its number, over all that it grows', () => {
  const list = new DigestList()
  expect(list.length).toBe(0)
  const early = digests.slice(0, 64).map((digest) => list.at(list.push(digest)))
  expect(digests.slice(64).map((digest) => list.push(digest))).toEqual(
    Array.from({ length: 9936 }, (_, i) => i + 64),
  )
  expect(list.length).toBe(10_000)
  for (const [i, digest] of digests.entries()) expect(digest.equals(list.at(i))).toBe(true)
  // What was given before it grew stays as it was.
  for (const [i, digest] of early.entries()) expect(digests[i]!.equals(digest)).toBe(true)
})

test('copies: what the caller does to its bytes later is its own affair', () => {
  const list = new DigestList()
  const mine = Buffer.from(digests[0]!)
  list.push(mine)
  mine.fill(0)
  expect(digests[0]!.equals(list.at(0))).toBe(true)
})

test('compares and hashes what is at a number', () => {
  const list = new DigestList()
  for (const digest of digests) list.push(digest)
  for (const i of [0, 1, 4095, 4096, 9999]) {
    const digest = Buffer.from(digests[i]!)
    expect([list.isAt(i, digest), list.hashAt(i)]).toEqual([true, hashOf(digest)])
    digest[31]! ^= 1
    expect([list.isAt(i, digest), list.hashAt(i)]).toEqual([false, hashOf(digest)])
    digest[0]! ^= 1
    expect(hashOf(digest)).not.toBe(list.hashAt(i))
  }
})
