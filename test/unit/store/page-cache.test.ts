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
  const [a, b] = ['a', 'b'].map((name) => ({ ...makeFile(name, 3), id: cache.register(), where: name }))
  expect([cache.read(a!, 2), cache.read(b!, 2), cache.read(a!, 0)].map(textOf)).toEqual(['a 2', 'b 2', 'a 0'])
  writeFileSync(a!.path, Buffer.alloc(3 * PAGE_BYTES))
  expect(textOf(cache.read(a!, 2))).toBe('a 2')
  expect(varveErrorOf(() => cache.read(a!, 1))).toMatchObject({
    code: 'CORRUPT',
    message: 'a: a damaged page',
  })
  for (const { fd } of [a!, b!]) closeSync(fd)
})

test('refuses a page past the end', () => {
  const cache = new PageCache()
  const file = { ...makeFile('a', 1), id: cache.register(), where: 'a' }
  expect(varveErrorOf(() => cache.read(file, 1)).code).toBe('CORRUPT')
  closeSync(file.fd)
})

test('lets go of the pages that were read longest ago', () => {
  const cache = new PageCache()
  const pages = 16_384
  const file = { ...makeFile('a', pages + 1), id: cache.register(), where: 'a' }
  for (let page = 0; page < pages; page++) cache.read(file, page)
  cache.read(file, 0)
  cache.read(file, pages)
  writeFileSync(file.path, Buffer.alloc((pages + 1) * PAGE_BYTES))
  expect(textOf(cache.read(file, 0))).toBe('a 0')
  expect(varveErrorOf(() => cache.read(file, 1)).code).toBe('CORRUPT')
  closeSync(file.fd)
})
