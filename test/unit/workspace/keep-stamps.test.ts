import { lstatSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { contentIdFromDigest, contentIdOf, digestOf } from '../../../core/content-id.ts'
import { stampOf } from '../../../core/workspace/file-stamp.ts'
import { keepStamps } from '../../../core/workspace/keep-stamps.ts'
import { StatCache } from '../../../core/workspace/stat-cache.ts'
import { makeFolder, writeFiles } from '../../support/git-fixture.ts'

/** A workspace whose files the cache knows; they are an hour old, so that no stamp is racy. */
function workspace(files: Record<string, string>) {
  const root = makeFolder()
  writeFiles(root, files)
  const cache = StatCache.open(join(makeFolder(), 'stat-cache'))
  for (const [path, text] of Object.entries(files)) {
    const hourAgo = Date.now() / 1000 - 3600
    utimesSync(join(root, path), hourAgo, hourAgo)
    cache.record(path, stampOf(lstatSync(join(root, path))), digestOf(Buffer.from(text)))
  }
  cache.flush()
  const idOf = (path: string) => {
    const at = path.lastIndexOf('/')
    const stats = cache.lookup(at === -1 ? '' : path.slice(0, at))
    const digest = stats.get(path.slice(at + 1), stampOf(lstatSync(join(root, path))))
    return digest && contentIdFromDigest(digest)
  }
  return { root, cache, idOf }
}

test('files of a directory that is renamed need not be read again', () => {
  const { root, cache, idOf } = workspace({ 'data/a': '1', 'data/sub/b': '2', 'data/sub/deep/c': '3' })
  writeFiles(root, { 'data/unknown': 'x' })
  const keep = keepStamps({ root, cache, from: 'data', to: 'other' })
  renameSync(join(root, 'data'), join(root, 'other'))
  keep()
  expect(idOf('other/a')).toBe(contentIdOf(Buffer.from('1')))
  expect(idOf('other/sub/b')).toBe(contentIdOf(Buffer.from('2')))
  expect(idOf('other/sub/deep/c')).toBe(contentIdOf(Buffer.from('3')))
  expect(idOf('other/unknown')).toBeUndefined()
})

test('so it is with a file, whatever ctime the rename gave it', () => {
  const { root, cache, idOf } = workspace({ 'sub/a': '1' })
  const keep = keepStamps({ root, cache, from: 'sub/a', to: 'b' })
  renameSync(join(root, 'sub/a'), join(root, 'b'))
  keep()
  expect(idOf('b')).toBe(contentIdOf(Buffer.from('1')))
})

test('a file that was written meanwhile is unknown', () => {
  const { root, cache, idOf } = workspace({ a: '1' })
  const keep = keepStamps({ root, cache, from: 'a', to: 'b' })
  renameSync(join(root, 'a'), join(root, 'b'))
  writeFileSync(join(root, 'b'), '2')
  keep()
  expect(idOf('b')).toBeUndefined()
})
