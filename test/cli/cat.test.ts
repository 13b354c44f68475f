import { execFileSync } from 'node:child_process'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeRepository, writeFiles } from '../support/git-fixture.ts'
import { cleanEnvironment, runVarve, varve, varveProgram } from '../support/run-varve.ts'
import {
  BIG_BYTES,
  makeVersionedRepository,
  noise,
  packFiles,
  pushAndClone,
} from '../support/versioned-repository.ts'

function cat(cwd: string, path: string): Buffer {
  return execFileSync(process.execPath, [varveProgram, 'cat', path], { cwd, env: cleanEnvironment() })
}

test('gives the bytes of a file as they were', async () => {
  const root = await makeVersionedRepository()
  expect(cat(root, 'v1:data/same.txt').toString()).toBe('same\n')
  expect(cat(root, 'data/same.txt').toString()).toBe('changed\n')
  expect(cat(root, 'models/base.bin').toString()).toBe('model\n')
  expect(cat(root, 'data/v2:notes.txt').toString()).toBe('notes\n')
  expect(cat(join(root, 'data'), 'v1:./sub/gone.txt').toString()).toBe('gone\n')
  expect(cat(root, 'v1:data/big.bin').equals(noise('big'))).toBe(true)
  // The version counts, not the workspace.
  writeFiles(root, { 'data/same.txt': 'edited\n' })
  expect(cat(root, 'data/same.txt').toString()).toBe('changed\n')
})

test('an empty file gives nothing', async () => {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  writeFiles(root, { 'data/empty': '' })
  await varve(['add', 'data'], { cwd: root })
  expect(cat(root, 'data/empty')).toHaveLength(0)
})

test('what has no bytes of its own is refused, and so is --json', async () => {
  const root = await makeVersionedRepository()
  const fails = async (...args: string[]) => {
    const { exitCode, stderr } = await runVarve(['cat', ...args], { cwd: root })
    expect(exitCode).toBe(2)
    return stderr
  }
  expect(await fails('data')).toMatch(/data is a directory.*\nhint: Run `varve ls data`/)
  expect(await fails('v1:data/sub')).toMatch(/is a directory in v1/)
  expect(await fails('.')).toMatch(/is a folder of the repository/)
  expect(await fails('data/link')).toMatch(/symbolic link to same\.txt/)
  expect(await fails('data/same.txt', '--json')).toMatch(/which are no JSON/)
})

test('a fresh clone fetches the bytes of that file and no others', async () => {
  const clone = await pushAndClone(await makeVersionedRepository())
  expect(cat(clone, 'v1:data/same.txt').toString()).toBe('same\n')
  const bytes = packFiles(join(clone, '.git/varve')).reduce((sum, path) => sum + statSync(path).size, 0)
  expect(bytes).toBeLessThan(BIG_BYTES / 10)
  expect(cat(clone, 'v1:data/big.bin').equals(noise('big'))).toBe(true)
})

test('a damaged chunk is an error, and no byte of it is given', async () => {
  const root = await makeVersionedRepository()
  const wanted = noise('big')
  for (const path of packFiles(join(root, '.git/varve'))) {
    const bytes = readFileSync(path)
    const at = bytes.indexOf(wanted.subarray(BIG_BYTES - 1000, BIG_BYTES - 900))
    if (at === -1) continue
    bytes[at]! ^= 1
    writeFileSync(path, bytes)
  }
  const { exitCode, stderr } = await runVarve(['cat', 'data/big.bin'], { cwd: root })
  expect(exitCode).toBe(7)
  expect(stderr).toMatch(/chunk b3:[0-9a-f]{64} is damaged/)
  expect(cat(root, 'data/same.txt').toString()).toBe('changed\n')
})
