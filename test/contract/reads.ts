import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import type { CurrentRemote } from './remote-contract.ts'
import { bytesOf, readBytes, someBytes, sourceOf } from './sources.ts'

const MEBIBYTE = 1024 * 1024

/** Values are written through `writer`. */
export function describeReads(remote: CurrentRemote, writer: CurrentRemote): void {
  describe('read', () => {
    test.each([
      ['nothing at all', 0],
      ['one byte', 1],
      ['5 MiB', 5 * MEBIBYTE],
      ['5 MiB and 3 bytes', 5 * MEBIBYTE + 3],
    ])('gives back %s', async (_name, sizeBytes) => {
      const bytes = someBytes(sizeBytes)
      await writer().write('packs/ab/value.pack', sourceOf(bytes))
      expect((await readBytes(remote(), 'packs/ab/value.pack')).equals(bytes)).toBe(true)
      expect((await remote().stat('packs/ab/value.pack'))?.sizeBytes).toBe(sizeBytes)
    })

    test('gives back every byte value as it is', async () => {
      const bytes = Buffer.from([...Array(256).keys(), 13, 10, 13, 10, 0, 0xef, 0xbb, 0xbf, 0xff, 0xfe])
      await writer().write('binary', sourceOf(bytes))
      expect(await readBytes(remote(), 'binary')).toEqual(bytes)
    })

    test.each([
      ['from the start', 0, 3, '012'],
      ['in the middle', 3, 7, '3456'],
      ['up to the end', 6, 10, '6789'],
      ['of one byte', 9, 10, '9'],
      ['across the end', 8, 100, '89'],
      ['that starts at the end', 10, 20, ''],
      ['beyond the end', 50, 60, ''],
      ['of nothing', 4, 4, ''],
    ])('gives a range %s', async (_name, start, endExclusive, expected) => {
      await writer().write('digits', sourceOf('0123456789'))
      const bytes = await readBytes(remote(), 'digits', { range: { start, endExclusive } })
      expect(bytes.toString()).toBe(expected)
    })

    test('gives a range of many pieces', async () => {
      const bytes = someBytes(3 * MEBIBYTE)
      await writer().write('large', sourceOf(bytes))
      const range = { start: 12_345, endExclusive: 2 * MEBIBYTE + 1 }
      const part = await readBytes(remote(), 'large', { range })
      expect(part.equals(bytes.subarray(range.start, range.endExclusive))).toBe(true)
    })

    test('of an empty value gives no bytes for any range', async () => {
      await writer().write('empty', sourceOf(''))
      expect(await readBytes(remote(), 'empty', { range: { start: 0, endExclusive: 10 } })).toHaveLength(0)
    })

    test.each(['absent', 'packs/absent', 'there/below'])(
      'of the missing key %s is NOT_FOUND',
      async (key) => {
        await writer().write('there', sourceOf('x'))
        await expect(remote().read(key)).rejects.toMatchObject({ code: 'NOT_FOUND' })
        await expect(remote().read(key, { range: { start: 0, endExclusive: 1 } })).rejects.toMatchObject({
          code: 'NOT_FOUND',
        })
      },
    )

    test('of what is only the beginning of a key is NOT_FOUND', async () => {
      await writer().write('packs/ab/x', sourceOf('x'))
      await expect(remote().read('packs/ab')).rejects.toMatchObject({ code: 'NOT_FOUND' })
      await expect(remote().read('packs/a')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })

    test('serves many readers at once', async () => {
      const bytes = someBytes(MEBIBYTE)
      await writer().write('shared', sourceOf(bytes))
      const copies = await Promise.all(Array.from({ length: 8 }, () => readBytes(remote(), 'shared')))
      expect(copies.every((copy) => copy.equals(bytes))).toBe(true)
    })

    test('can be left half-way', async () => {
      const bytes = someBytes(2 * MEBIBYTE)
      await writer().write('left', sourceOf(bytes))
      for await (const _piece of await remote().read('left')) break
      const unread = await remote().read('left')
      unread.destroy()
      await once(unread, 'close')
      expect((await readBytes(remote(), 'left')).equals(bytes)).toBe(true)
    })

    test('with an aborted signal is INTERRUPTED', async () => {
      await writer().write('value', sourceOf('x'))
      const reading = remote().read('value', { signal: AbortSignal.abort() })
      await expect(reading).rejects.toMatchObject({ code: 'INTERRUPTED' })
    })

    test('ends with INTERRUPTED when it is aborted half-way', async () => {
      await writer().write('value', sourceOf(someBytes(5 * MEBIBYTE)))
      const controller = new AbortController()
      const stream = await remote().read('value', { signal: controller.signal })
      const reading = (async () => {
        for await (const _piece of stream) controller.abort()
      })()
      await expect(reading).rejects.toMatchObject({ code: 'INTERRUPTED' })
    })

    test('during overwrites gives one whole value, old or new', async () => {
      const values = [someBytes(MEBIBYTE), someBytes(MEBIBYTE + 7)]
      await writer().write('published.json', sourceOf(values[0]!))
      let isWriting = true
      const writing = (async () => {
        for (let round = 1; round <= 6; round++) {
          await writer().write('published.json', sourceOf(values[round % 2]!))
        }
        isWriting = false
      })()
      let reads = 0
      while (isWriting || reads === 0) {
        const seen = await bytesOf(await remote().read('published.json'))
        expect(values.some((value) => value.equals(seen))).toBe(true)
        reads++
      }
      await writing
    })
  })

  describe('stat', () => {
    test.each(['absent', 'packs/ab', 'packs/ab/x/below'])(
      'of the missing key %s is undefined',
      async (key) => {
        await writer().write('packs/ab/x', sourceOf('x'))
        expect(await remote().stat(key)).toBeUndefined()
      },
    )

    test('tells key, size and a time that is not far off', async () => {
      await writer().write('packs/ab/x', sourceOf('four'))
      const entry = await remote().stat('packs/ab/x')
      expect(entry).toEqual({ key: 'packs/ab/x', sizeBytes: 4, modifiedAt: expect.any(Date) })
      // A server's clock may be wrong by minutes; a wrong unit or an epoch of zero is wrong by years.
      const dayMs = 24 * 3600 * 1000
      expect(Math.abs(entry!.modifiedAt.getTime() - Date.now())).toBeLessThan(dayMs)
    })
  })
}
