import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { digestOf } from '../../../core/content-id.ts'
import type { FileToMaterialise } from '../../../core/workspace/materialise-task.ts'
import { isPartInUse, isPartName, PartFiles } from '../../../core/workspace/part-files.ts'
import { makeFolder } from '../../support/git-fixture.ts'

const SIZE_BYTES = 9 << 20

function fileIn(folder: string, changes: Partial<FileToMaterialise> = {}): FileToMaterialise {
  return {
    ...{ index: 0, path: join(folder, 'big.bin'), label: 'big.bin', digest: digestOf(Buffer.from('big')) },
    ...{ sizeBytes: SIZE_BYTES, executable: false, replaces: undefined },
    ...{ location: undefined, provenRecipe: undefined, ...changes },
  }
}

/** The number of a process that has ended. */
const endedPid = spawnSync(process.execPath, ['-e', '']).pid

/** Begins a file, as a process that has ended since. */
function abandon(file: FileToMaterialise, content = 'begun'): string {
  const path = new PartFiles().create(file)
  writeFileSync(path, content)
  const left = path.replace(`-${process.pid}-`, `-${endedPid}-`)
  renameSync(path, left)
  return left
}

test('what a process that has ended left is gone on with, once', () => {
  const folder = makeFolder()
  const left = abandon(fileIn(folder))
  expect(isPartName(basename(left))).toBe(true)
  expect(isPartInUse(basename(left))).toBe(false)
  const parts = new PartFiles()
  const adopted = parts.adopt(fileIn(folder))!
  expect(readFileSync(adopted, 'utf8')).toBe('begun')
  expect(existsSync(left)).toBe(false)
  expect(parts.adopt(fileIn(folder))).toBeUndefined()
  expect(new PartFiles().adopt(fileIn(folder))).toBeUndefined()
})

test('what is of another content, of another mode, small, or still written is not', () => {
  const folder = makeFolder()
  expect(isPartInUse(basename(new PartFiles().create(fileIn(folder))))).toBe(true)
  abandon(fileIn(folder, { digest: digestOf(Buffer.from('other')) }))
  abandon(fileIn(folder, { executable: true }))
  expect(new PartFiles().adopt(fileIn(folder))).toBeUndefined()
  abandon(fileIn(folder))
  expect(new PartFiles().adopt(fileIn(folder, { sizeBytes: 1 << 20 }))).toBeUndefined()
  expect(new PartFiles().adopt(fileIn(folder))).toBeDefined()
})

test('one that is longer than the file is cut, and a link is left alone', () => {
  const folder = makeFolder()
  abandon(fileIn(folder), 'x'.repeat(SIZE_BYTES + 5))
  expect(readFileSync(new PartFiles().adopt(fileIn(folder))!)).toHaveLength(SIZE_BYTES)
  const other = makeFolder()
  const left = abandon(fileIn(other))
  renameSync(left, join(other, 'target'))
  symlinkSync('target', left)
  expect(new PartFiles().adopt(fileIn(other))).toBeUndefined()
  expect(readdirSync(other).sort()).toEqual([basename(left), 'target'].sort())
})
