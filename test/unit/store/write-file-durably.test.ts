import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writeFileDurably } from '../../../core/store/write-file-durably.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'

test('writes text and bytes, in a folder that is made, over what is there', () => {
  const folder = join(makeTemporaryFolder(), 'a', 'b')
  const path = join(folder, 'file')
  writeFileDurably(path, 'text é')
  expect(readFileSync(path, 'utf8')).toBe('text é')
  writeFileDurably(path, new Uint8Array([1, 2, 3]))
  expect([...readFileSync(path)]).toEqual([1, 2, 3])
  writeFileDurably(path, '')
  expect(readFileSync(path)).toHaveLength(0)
  expect(readdirSync(folder)).toEqual(['file'])
})

test('leaves what was there, and no other file, where it cannot write', () => {
  const folder = makeTemporaryFolder()
  const path = join(folder, 'file')
  mkdirSync(path)
  writeFileSync(join(path, 'inside'), 'kept')
  expect(() => writeFileDurably(path, 'x')).toThrow()
  expect(readdirSync(folder)).toEqual(['file'])
  expect(readdirSync(path)).toEqual(['inside'])
})
