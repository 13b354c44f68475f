import { closeSync, lstatSync, mkdirSync, openSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../../core/content-id.ts'
import { stampOf } from '../../../core/workspace/file-stamp.ts'
import {
  joinPath,
  openFile,
  packFiles,
  packReadFiles,
  readFully,
  unpackFiles,
  unpackReadFiles,
} from '../../../core/workspace/read-file.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { varveErrorOf } from '../../support/varve-error.ts'

test('files come back from how they cross threads as they were', () => {
  const root = makeTemporaryFolder()
  writeFileSync(join(root, 'f'), 'x')
  const stampOfSize = (sizeBytes: number) => ({ ...stampOf(lstatSync(join(root, 'f'))), sizeBytes })
  const toRead = ['a', 'dir/b c', 'd/\n'].map((path, i) => ({ path, stamp: stampOfSize(2 ** 52 + i) }))
  expect(unpackFiles(packFiles(toRead))).toEqual(toRead)
  const files = [0, 7, 2 ** 31].map((place) => ({
    place,
    digest: new Uint8Array(digestOf(Buffer.from(`${place}`))),
    stamp: stampOfSize(2 ** 52 + place),
  }))
  expect([...unpackReadFiles(packReadFiles(files))]).toEqual(files)
  expect([...unpackReadFiles(packReadFiles([]))]).toEqual([])
})

test('a path has a slash where there is a directory', () => {
  expect([joinPath('', 'a'), joinPath('a/b', 'c')]).toEqual(['a', 'a/b/c'])
})

test('readFully reads to the end of the target or the file, from any place', () => {
  const path = join(makeTemporaryFolder(), 'f')
  writeFileSync(path, '0123456789')
  const fd = openSync(path, 'r')
  const read = (length: number, position: number) => {
    const target = Buffer.alloc(length, '.')
    return [readFully(fd, target, position), target.toString()]
  }
  expect(read(4, 2)).toEqual([4, '2345'])
  expect(read(4, 8)).toEqual([2, '89..'])
  expect(read(4, 10)).toEqual([0, '....'])
  expect(read(0, 0)).toEqual([0, ''])
  closeSync(fd)
})

describe('openFile', () => {
  test('opens no link that took the place of a file, and tells what vanished', () => {
    const root = makeTemporaryFolder()
    writeFileSync(join(root, 'secret'), 'x')
    symlinkSync(join(root, 'secret'), join(root, 'link'))
    for (const path of ['link', 'gone', 'secret/inside']) {
      expect(varveErrorOf(() => openFile(root, { path }))).toMatchObject({
        code: 'CHANGED_WHILE_READING',
        message: `${path} changed or vanished while it was being read`,
        hint: expect.stringContaining('run the command again'),
      })
    }
  })

  test.skipIf(process.getuid?.() === 0)('names the file that may not be read', () => {
    const root = makeTemporaryFolder()
    mkdirSync(join(root, 'd'))
    writeFileSync(join(root, 'd/f'), 'x', { mode: 0o000 })
    const { code, message } = varveErrorOf(() => openFile(root, { path: 'd/f' }))
    expect([code, message]).toEqual(['NO_PERMISSION', 'cannot read d/f: permission denied'])
  })
})
