import { chmodSync, lstatSync, mkdirSync, symlinkSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { digestOf } from '../../../core/content-id.ts'
import { encodeTree, type TreeEntry } from '../../../core/format/tree.ts'
import { stampOf } from '../../../core/workspace/file-stamp.ts'
import { IgnoreRules } from '../../../core/workspace/ignore-rules.ts'
import { knownListing } from '../../../core/workspace/known-listing.ts'
import { listDirectory } from '../../../core/workspace/list-directory.ts'
import { StatCache } from '../../../core/workspace/stat-cache.ts'
import { makeFolder, writeFiles } from '../../support/git-fixture.ts'

const HOUR_AGO = Date.now() / 1000 - 3600

/** A folder `data` of which the cache knows all files but those named. */
function makeKnown(files: Record<string, string>, options: { unknown?: string[] } = {}) {
  const root = makeFolder()
  const cacheFolder = makeFolder()
  const cache = StatCache.open(cacheFolder)
  mkdirSync(join(root, 'data'))
  writeFiles(root, Object.fromEntries(Object.entries(files).map(([name, text]) => [`data/${name}`, text])))
  const at = (name: string) => join(root, 'data', name)
  for (const [name, text] of Object.entries(files)) {
    if (options.unknown?.includes(name)) continue
    cache.record(`data/${name}`, stampOf(lstatSync(at(name))), digestOf(Buffer.from(text)))
  }
  cache.flush()
  const ask = () => {
    const listing = listDirectory({
      path: join(root, 'data'),
      label: 'data',
      rules: () => IgnoreRules.load(root, join(root, 'data')),
    })
    return knownListing(listing!, () => cache.lookup('data'))
  }
  return { at, ask, known: () => ask().known, cache }
}

const fileEntry = (name: string, text: string): TreeEntry => ({
  ...{ kind: 'file', name, sizeBytes: text.length, digest: digestOf(Buffer.from(text)) },
})

test('is the listing that a version of the directory would have', () => {
  const { at, known } = makeKnown({ b: '22', a: '1', 'é\u{1f600}': '333' })
  symlinkSync('elsewhere', at('link'))
  const entries = [
    ...[fileEntry('a', '1'), fileEntry('b', '22'), fileEntry('é\u{1f600}', '333')],
    { kind: 'link' as const, name: 'link', target: 'elsewhere' },
  ]
  expect(known()).toEqual({ digest: new Uint8Array(digestOf(encodeTree(entries))), files: 4, sizeBytes: 6 })
})

test('an empty directory is known', () => {
  const { known } = makeKnown({})
  expect(known()).toMatchObject({ files: 0, sizeBytes: 0 })
})

test('nothing is known where one file is not, or has another stamp, or another mode', () => {
  const partly = makeKnown({ a: '1', b: '2', c: '3' }, { unknown: ['a', 'c'] })
  expect(partly.ask()).toEqual({ known: undefined, unknownFiles: 2 })
  const touched = makeKnown({ a: '1', b: '2' })
  expect(touched.known()).toBeDefined()
  utimesSync(touched.at('b'), HOUR_AGO, HOUR_AGO)
  expect(touched.known()).toBeUndefined()
  const changed = makeKnown({ a: '1' })
  chmodSync(changed.at('a'), 0o755)
  expect(changed.known()).toBeUndefined()
})

test('what was learnt and not yet written down is not known', () => {
  const { known, cache } = makeKnown({ a: '1' })
  cache.forget('data/a')
  expect(known()).toBeUndefined()
})

test('nor is a directory with directories in it', () => {
  const { at, known } = makeKnown({ a: '1' })
  mkdirSync(at('sub'))
  expect(known()).toBeUndefined()
})
