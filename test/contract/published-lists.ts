import { describe, expect, test } from 'vitest'
import type { Remote } from '../../core/remote.ts'
import { publishNames } from '../../core/transfer/push/published-names.ts'
import type { CurrentRemote } from './remote-contract.ts'
import { entriesOf, keysOf, sourceOf } from './sources.ts'

const KEYS = [
  'index/1.idx',
  'index/2.idx',
  'packs/ab/x.pack',
  'roots/a/1.final',
  'roots/a/2.intent',
  'roots/b/3.final',
]

/** What a kind that cannot list has in place of it: the names in `published.json`. */
export function describePublishedLists(
  remote: CurrentRemote,
  writer: CurrentRemote,
  { manyKeys }: { manyKeys: number },
): void {
  describe('list', () => {
    test('of a place without published.json says what to do', async () => {
      await writer().write('index/1.idx', sourceOf('1'))
      await expect(entriesOf(remote(), 'index/')).rejects.toMatchObject({
        code: 'REMOTE_FAILED',
        message: expect.stringContaining('has no published.json'),
        hint: expect.stringContaining('Push'),
      })
    })

    test.each([
      ['index/', ['index/1.idx', 'index/2.idx']],
      ['index/2', ['index/2.idx']],
      ['index/3', []],
      ['roots/', ['roots/a/1.final', 'roots/b/3.final']],
      ['roots/a/', ['roots/a/1.final']],
      ['roots/c/', []],
    ])('of prefix "%s" is a plain string prefix', async (prefix, expected) => {
      await writeAll(writer(), KEYS)
      await publishNames(writer())
      expect(await keysOf(remote(), prefix)).toEqual(expected)
    })

    test.each(['', 'packs/', 'packs/ab', 'index', 'roots', 'varve.json', 'gc/'])(
      'of prefix "%s", of which nothing is published, is an error and not empty',
      async (prefix) => {
        await writeAll(writer(), KEYS)
        await publishNames(writer())
        await expect(entriesOf(remote(), prefix)).rejects.toMatchObject({
          code: 'REMOTE_FAILED',
          message: expect.stringContaining('cannot be listed'),
        })
      },
    )

    test('tells of each value the size, and a time at which it was there', async () => {
      await writeAll(writer(), KEYS)
      await publishNames(writer())
      const entries = await entriesOf(remote(), 'index/')
      expect(entries).toHaveLength(2)
      for (const { key, sizeBytes, modifiedAt } of entries) {
        const found = await remote().stat(key)
        expect(found?.sizeBytes).toBe(sizeBytes)
        expect(modifiedAt.getTime()).toBeGreaterThanOrEqual(found!.modifiedAt.getTime())
      }
    })

    test('tells of what was published meanwhile', async () => {
      await writeAll(writer(), ['index/1.idx'])
      await publishNames(writer())
      expect(await keysOf(remote(), 'index/')).toEqual(['index/1.idx'])
      await writeAll(writer(), ['index/2.idx'])
      await writer().remove('index/1.idx')
      await publishNames(writer())
      expect(await keysOf(remote(), 'index/')).toEqual(['index/2.idx'])
    })

    test('can be left half-way', async () => {
      await writeAll(writer(), KEYS)
      await publishNames(writer())
      for await (const entry of remote().list('index/')) {
        expect(KEYS).toContain(entry.key)
        break
      }
      expect(await keysOf(remote(), 'index/2')).toEqual(['index/2.idx'])
    })

    test(`is complete for ${manyKeys} keys`, async () => {
      const keys = Array.from({ length: manyKeys }, (_, at) => `roots/r/${String(at).padStart(6, '0')}.final`)
      await writeAll(writer(), keys)
      await publishNames(writer())
      expect(await keysOf(remote(), 'roots/r/')).toEqual(keys)
    })
  })
}

async function writeAll(writer: Remote, keys: readonly string[]): Promise<void> {
  for (let at = 0; at < keys.length; at += 50) {
    await Promise.all(keys.slice(at, at + 50).map((key) => writer.write(key, sourceOf('x'))))
  }
}
