import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { sweepTemporaries, temporaryPath } from '../../../core/store/temporary-files.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'

/** The number of a process that has ended. */
function deadProcess(): number {
  return spawnSync(process.execPath, ['-e', '0']).pid
}

function ofProcess(path: string, pid: number): string {
  return path.replace(`-${process.pid}-`, `-${pid}-`)
}

test('names are new each time, in a folder that is made', () => {
  const folder = join(makeTemporaryFolder(), 'deep', 'tmp')
  const paths = Array.from({ length: 100 }, () => temporaryPath(folder))
  expect(new Set(paths).size).toBe(100)
  expect(readdirSync(folder)).toEqual([])
})

test('what dead processes left is swept, what living ones write is not', () => {
  const folder = makeTemporaryFolder()
  const mine = temporaryPath(folder)
  const alive = ofProcess(temporaryPath(folder), process.ppid)
  const dead = ofProcess(temporaryPath(folder), deadProcess())
  const deadFolder = ofProcess(temporaryPath(folder), deadProcess())
  for (const path of [mine, alive, dead]) writeFileSync(path, '')
  mkdirSync(deadFolder)
  writeFileSync(join(deadFolder, 'file'), '')
  sweepTemporaries(folder)
  expect(readdirSync(folder).sort()).toEqual([mine, alive].map((path) => basename(path)).sort())
})

test('what other machines write stays for a week', () => {
  const folder = makeTemporaryFolder()
  const [young, old] = ['young', 'old'].map((name) => join(folder, `6f74686572-1-${name}`))
  for (const path of [young!, old!]) writeFileSync(path, '')
  const weekAgo = new Date(Date.now() - 7 * 24 * 3600 * 1000 - 60_000)
  utimesSync(old!, weekAgo, weekAgo)
  sweepTemporaries(folder)
  expect([existsSync(young!), existsSync(old!)]).toEqual([true, false])
})

test('a folder that is not there is swept', () => {
  expect(() => sweepTemporaries(join(makeTemporaryFolder(), 'nothing'))).not.toThrow()
})
