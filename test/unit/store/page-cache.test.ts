import { closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PAGE_BYTES, sealPage } from '../../../core/format/segment.ts'
import { PageCache } from '../../../core/store/page-cache.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { varveErrorOf } from '../../support/varve-error.ts'

function makeFile(name: string, pages: number): { path: string; fd: number } {
  const bytes = Buffer.alloc(pages * PAGE_BYTES)
  for (let page = 0; page < pages; page++) {
    const place = bytes.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES)
    place.write(`${name} ${page}`)
    sealPage(place)
  }
  const path = join(makeTemporaryFolder(), name)
  writeFileSync(path, bytes)
  return { path, fd: openSync(path, 'r') }
}

const textOf = (page: Buffer) => page.toString('latin1', 0, page.indexOf(0))

test('gives each file its own pages, and reads each once', () => {
  const cache = new PageCache()
  const [a, b] = ['a', 'b']
    .map((name) => makeFile(name, 3))
    .map(({ path, fd }) => ({ path, ...cache.register(fd, path) }))
  expect([cache.read(a!, 2), cache.read(b!, 2), cache.read(a!, 0)].map(textOf)).toEqual(['a 2', 'b 2', 'a 0'])
  expect(cache.readCount).toBe(3)
  writeFileSync(a!.path, Buffer.alloc(3 * PAGE_BYTES))
  expect(textOf(cache.read(a!, 2))).toBe('a 2')
  expect(varveErrorOf(() => cache.read(a!, 1))).toMatchObject({
    code: 'CORRUPT',
    message: `${a!.path}: a damaged page`,
  })
  expect(cache.readCount).toBe(4)
  for (const { fd } of [a!, b!]) closeSync(fd)
})

test('refuses a page past the end', () => {
  const cache = new PageCache()
  const file = cache.register(makeFile('a', 1).fd, 'a')
  expect(varveErrorOf(() => cache.read(file, 1)).code).toBe('CORRUPT')
  closeSync(file.fd)
})

test('lets go of the pages that were read longest ago', () => {
  const cache = new PageCache()
  const pages = 16_384
  const { path, fd } = makeFile('a', pages + 1)
  const file = cache.register(fd, 'a')
  for (let page = 0; page < pages; page++) cache.read(file, page)
  cache.read(file, 0)
  cache.read(file, pages)
  writeFileSync(path, Buffer.alloc((pages + 1) * PAGE_BYTES))
  expect(textOf(cache.read(file, 0))).toBe('a 0')
  expect(varveErrorOf(() => cache.read(file, 1)).code).toBe('CORRUPT')
  closeSync(fd)
})

test('gives the right page, whatever was read and damaged before', () => {
  const cache = new PageCache()
  const pages = 20_000
  const [good, bad] = [makeFile('good', pages), makeFile('bad', 100)]
  const [file, damaged] = [cache.register(good.fd, 'good'), cache.register(bad.fd, 'bad')]
  writeFileSync(bad.path, Buffer.alloc(100 * PAGE_BYTES))
  for (let i = 0; i < 60_000; i++) {
    // Some again and again, most of them once in a while.
    const page = i % 3 === 0 ? i % 50 : (i * 7919) % pages
    if (textOf(cache.read(file, page)) !== `good ${page}`) expect.fail(`another page than ${page}`)
    if (i % 100 === 0) expect(varveErrorOf(() => cache.read(damaged, i % 97)).code).toBe('CORRUPT')
  }
  expect(file.slots.size).toBeLessThanOrEqual(16_384)
  expect(cache.readCount).toBeGreaterThan(pages)
  for (const { fd } of [good, bad]) closeSync(fd)
})

test('does not take what a slot held before for a page past the end', () => {
  const cache = new PageCache()
  const pages = 16_384
  const { fd } = makeFile('a', pages)
  const file = cache.register(fd, 'a')
  for (let page = 0; page < pages; page++) cache.read(file, page)
  for (const page of [pages, pages + 1]) {
    expect(varveErrorOf(() => cache.read(file, page)).code).toBe('CORRUPT')
  }
  closeSync(fd)
})
