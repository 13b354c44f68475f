import { describe, expect, test } from 'vitest'
import type { CurrentRemote } from './remote-contract.ts'
import { entriesOf, keysOf, sourceOf } from './sources.ts'

const HOSTILE_KEYS = [
  '',
  '/',
  '/etc/passwd',
  'a/',
  'a//b',
  '.',
  '..',
  '../a',
  'a/../b',
  'a/./b',
  '.hidden',
  'a/.hidden',
  'a\\b',
  'a b',
  'a\0b',
  'a\nb',
  'C:/a',
  'naïve',
  'a'.repeat(256),
  'a/'.repeat(600).concat('a'),
]

/** `writer` shows what is really there. */
export function describeHostileKeys(remote: CurrentRemote, writer: CurrentRemote): void {
  describe('keys from outside', () => {
    test.each(HOSTILE_KEYS.map((key) => [JSON.stringify(key).slice(0, 40), key]))(
      '%s is HOSTILE to every verb',
      async (_name, key) => {
        const hostile = { code: 'HOSTILE' }
        await expect(remote().stat(key)).rejects.toMatchObject(hostile)
        await expect(remote().read(key)).rejects.toMatchObject(hostile)
        await expect(remote().write(key, sourceOf('x'))).rejects.toMatchObject(hostile)
        await expect(remote().remove(key)).rejects.toMatchObject(hostile)
        expect(await keysOf(writer(), '')).toEqual([])
      },
    )

    test.each(['/', '/etc', '..', '../', 'a/../', 'a//', '.', '.varve-tmp/', 'a\\', 'a\0'])(
      'prefix %j is HOSTILE to list',
      async (prefix) => {
        await expect(entriesOf(remote(), prefix)).rejects.toMatchObject({ code: 'HOSTILE' })
      },
    )
  })
}
