import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeFolder, publishFile, syncFolder } from '../../../core/store/durable.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'

test('makeFolder makes all that is missing, and minds nothing that is there', () => {
  const folder = join(makeTemporaryFolder(), 'a', 'b', 'c')
  makeFolder(folder)
  expect(statSync(folder).isDirectory()).toBe(true)
  makeFolder(folder)
  makeFolder(`${folder}/`)
  makeFolder(join(folder, 'd/'))
  expect(readdirSync(folder)).toEqual(['d'])
})

test('publishFile moves a file to its place, in a folder that is made, over what is there', () => {
  const root = makeTemporaryFolder()
  const target = join(root, 'packs', 'ab', 'x')
  for (const content of ['one', 'two']) {
    const temporary = join(root, 'temporary')
    writeFileSync(temporary, content)
    publishFile(temporary, target)
    expect(readFileSync(target, 'utf8')).toBe(content)
    expect(existsSync(temporary)).toBe(false)
  }
})

test('publishFile of nothing fails and makes nothing visible', () => {
  const root = makeTemporaryFolder()
  expect(() => publishFile(join(root, 'nothing'), join(root, 'target'))).toThrow(/ENOENT/)
  expect(readdirSync(root)).toEqual([])
})

test('syncFolder passes on that a folder is not there', () => {
  expect(() => syncFolder(join(makeTemporaryFolder(), 'nothing'))).toThrow(/ENOENT/)
})
