import { beforeEach, describe, expect, test } from 'vitest'
import type { CurrentRemote } from './remote-contract.ts'
import { entriesOf, keysOf, sourceOf } from './sources.ts'

const KEYS = ['index/1.idx', 'packs/ab/x', 'packs/ab/y', 'packs/abc', 'packs/b/deep/er/z', 'pa', 'varve.json']

export function describeLists(remote: CurrentRemote, options: { manyKeys: number }): void {
  describe('list', () => {
    test('of a remote without values is empty, whatever the prefix', async () => {
      for (const prefix of ['', 'packs', 'packs/', 'packs/ab/x']) {
        expect(await entriesOf(remote(), prefix)).toEqual([])
      }
    })

    describe('with values', () => {
      beforeEach(async () => {
        for (const key of KEYS) await remote().write(key, sourceOf(key))
      })

      test.each([
        ['', KEYS],
        ['packs/', ['packs/ab/x', 'packs/ab/y', 'packs/abc', 'packs/b/deep/er/z']],
        ['packs/ab', ['packs/ab/x', 'packs/ab/y', 'packs/abc']],
        ['packs/ab/', ['packs/ab/x', 'packs/ab/y']],
        ['packs/ab/x', ['packs/ab/x']],
        ['packs/b/d', ['packs/b/deep/er/z']],
        ['packs/b/deep/er/', ['packs/b/deep/er/z']],
        ['pa', ['pa', 'packs/ab/x', 'packs/ab/y', 'packs/abc', 'packs/b/deep/er/z']],
        ['pa/', []],
        ['varve.json', ['varve.json']],
        ['varve.json/', []],
        ['varve.json/x', []],
        ['packs/abcd', []],
        ['q', []],
        ['absent/', []],
        ['absent/below/', []],
      ])('of prefix "%s" is a plain string prefix', async (prefix, expected) => {
        expect(await keysOf(remote(), prefix)).toEqual([...expected].sort())
      })

      test('tells of each value what stat tells', async () => {
        const entries = await entriesOf(remote(), '')
        expect(entries).toHaveLength(KEYS.length)
        for (const entry of entries) expect(entry).toEqual(await remote().stat(entry.key))
      })

      test('can be left half-way', async () => {
        for await (const entry of remote().list('packs/')) {
          expect(KEYS).toContain(entry.key)
          break
        }
        expect(await keysOf(remote(), 'index/')).toEqual(['index/1.idx'])
      })
    })

    test(`is complete for ${options.manyKeys} keys`, async () => {
      const keys = Array.from({ length: options.manyKeys }, (_, at) => {
        const name = String(at).padStart(6, '0')
        return at % 3 === 0 ? `packs/${name.slice(-2)}/${name}` : `packs/flat-${name}`
      })
      for (let at = 0; at < keys.length; at += 50) {
        await Promise.all(keys.slice(at, at + 50).map((key) => remote().write(key, sourceOf('x'))))
      }
      expect(await keysOf(remote(), '')).toEqual(keys.sort())
      expect(await keysOf(remote(), 'packs/flat')).toEqual(keys.filter((key) => key.startsWith('packs/flat')))
    })
  })
}
