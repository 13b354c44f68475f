import { describe, expect, test } from 'vitest'
import type { CurrentRemote } from './remote-contract.ts'
import { entriesOf, keysOf, readBytes, someBytes, sourceOf } from './sources.ts'

export function describeWrites(remote: CurrentRemote, abilities: { atomicIfAbsent: boolean }): void {
  describe('write', () => {
    test('replaces a value by a shorter and by a longer one', async () => {
      for (const text of ['the first value', 'short', 'much longer than any of those before']) {
        await remote().write('index/a.idx', sourceOf(text))
        expect((await readBytes(remote(), 'index/a.idx')).toString()).toBe(text)
        expect((await remote().stat('index/a.idx'))?.sizeBytes).toBe(text.length)
      }
      expect(await keysOf(remote(), '')).toEqual(['index/a.idx'])
    })

    test('keeps keys apart', async () => {
      const keys = ['a', 'ab', 'b/a', 'b/ab', 'b/c/a', 'x.y', 'x-y', 'x_y']
      for (const key of keys) await remote().write(key, sourceOf(`value of ${key}`))
      for (const key of keys) expect((await readBytes(remote(), key)).toString()).toBe(`value of ${key}`)
    })

    test('opens the source again for each write', async () => {
      const source = sourceOf('twice')
      await remote().write('one', source)
      await remote().write('two', source)
      expect((await readBytes(remote(), 'two')).toString()).toBe('twice')
    })

    test('by many writers of one key at once ends with one whole value', async () => {
      const values = Array.from({ length: 10 }, (_, at) => someBytes(200_000 + at))
      await Promise.all(values.map((value) => remote().write('published.json', sourceOf(value))))
      const final = await readBytes(remote(), 'published.json')
      expect(values.some((value) => value.equals(final))).toBe(true)
      const entries = await entriesOf(remote(), '')
      expect(entries.map(({ key, sizeBytes }) => [key, sizeBytes])).toEqual([
        ['published.json', final.length],
      ])
    })

    test('by many writers of many keys below one new prefix stores them all', async () => {
      const keys = Array.from({ length: 20 }, (_, at) => `roots/deep/er/r${String(at).padStart(2, '0')}`)
      await Promise.all(keys.map((key) => remote().write(key, sourceOf(key))))
      expect(await keysOf(remote(), 'roots/')).toEqual(keys)
    })
  })

  describe('write, if absent', () => {
    test('stores the first value and refuses the second', async () => {
      await remote().write('varve.json', sourceOf('first'), { ifAbsent: true })
      const second = remote().write('varve.json', sourceOf('second'), { ifAbsent: true })
      await expect(second).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
      expect((await readBytes(remote(), 'varve.json')).toString()).toBe('first')
    })

    test('refuses where a plain write was first, an empty one too', async () => {
      await remote().write('empty', sourceOf(''))
      const second = remote().write('empty', sourceOf('second'), { ifAbsent: true })
      await expect(second).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
      expect(await readBytes(remote(), 'empty')).toHaveLength(0)
    })

    test('stores again what was removed', async () => {
      await remote().write('key', sourceOf('first'), { ifAbsent: true })
      await remote().remove('key')
      await remote().write('key', sourceOf('second'), { ifAbsent: true })
      expect((await readBytes(remote(), 'key')).toString()).toBe('second')
    })

    test.skipIf(!abilities.atomicIfAbsent)('lets exactly one of 20 writers win', async () => {
      const writers = Array.from({ length: 20 }, (_, at) => `writer ${at}`)
      const outcomes = await Promise.allSettled(
        writers.map((text) => remote().write('new/varve.json', sourceOf(text), { ifAbsent: true })),
      )
      const winners = writers.filter((_, at) => outcomes[at]!.status === 'fulfilled')
      expect(winners).toHaveLength(1)
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'ALREADY_EXISTS' })
      }
      expect((await readBytes(remote(), 'new/varve.json')).toString()).toBe(winners[0])
      expect(await keysOf(remote(), '')).toEqual(['new/varve.json'])
    })
  })

  describe('remove', () => {
    test('removes one key, and is no error the second time', async () => {
      await remote().write('packs/ab/x', sourceOf('x'))
      await remote().write('packs/ab/xy', sourceOf('xy'))
      await remote().remove('packs/ab/x')
      await remote().remove('packs/ab/x')
      expect(await remote().stat('packs/ab/x')).toBeUndefined()
      await expect(remote().read('packs/ab/x')).rejects.toMatchObject({ code: 'NOT_FOUND' })
      expect(await keysOf(remote(), '')).toEqual(['packs/ab/xy'])
    })

    test.each(['never', 'never/was', 'packs', 'packs/ab'])(
      'of %s, which is no key, changes nothing',
      async (key) => {
        await remote().write('packs/ab/x', sourceOf('x'))
        await remote().remove(key)
        expect(await keysOf(remote(), '')).toEqual(['packs/ab/x'])
      },
    )
  })
}
