import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commitAll, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { runVarve, varve, varveJson } from '../support/run-varve.ts'
import { noise } from '../support/versioned-repository.ts'

type Pushed = {
  dryRun: boolean
  versions: { path: string }[]
  packs: number
  bytes: number
  requests: Record<string, number>
}

async function makeSource(): Promise<{ root: string; remote: string }> {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  writeFiles(root, {
    'data/a.bin': noise('a', 300_000),
    'data/b.txt': 'b\n',
    'model.bin': noise('m', 100_000),
  })
  await varve(['add', 'data', 'model.bin'], { cwd: root })
  const remote = join(makeFolder(), 'remote')
  await varve(['remote', 'add', 'origin', remote], { cwd: root })
  commitAll(root, 'first')
  return { root, remote }
}

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => !path.includes('stat-cache'))

/** What a dry run says, and what the push after it says. */
async function both(root: string, ...words: string[]) {
  const planned = await varveJson<Pushed>(['push', '--dry-run', ...words], { cwd: root })
  const done = await varveJson<Pushed>(['push', ...words], { cwd: root })
  const { largeWrites, bytesWritten, ...requests } = planned.requests
  expect({
    ...planned,
    dryRun: false,
    requests: { ...requests, bytesWritten: done.requests.bytesWritten },
  }).toEqual(done)
  expect(planned.dryRun).toBe(true)
  // Records hold the time and the names of packs.
  expect(Math.abs(bytesWritten! - done.requests.bytesWritten!)).toBeLessThan(200)
  return { ...done, largeWrites }
}

test('tells what a push sends, in how many requests, before the remote is there', async () => {
  const { root, remote } = await makeSource()
  const stored = filesIn(join(root, '.git/varve/packs'))
  const text = await varve(['push', '-n'], { cwd: root })
  expect(text).toMatch(
    /^would push 2 versions to .*: 2 packs, \d+ KiB\nrequests: .*\d+ write.* sent, .* received\n$/,
  )
  expect(existsSync(remote)).toBe(false)
  expect(filesIn(join(root, '.git/varve/packs'))).toEqual(stored)
  expect(await both(root)).toMatchObject({ packs: 2, largeWrites: 0, versions: [{}, {}] })
  expect(await varve(['push', '-n'], { cwd: root })).toMatch(/has everything\nrequests: 1 list/)
})

test('on an empty remote makes nothing, not even what would make it a remote', async () => {
  const { root, remote } = await makeSource()
  mkdirSync(remote)
  await varve(['push', '-n', 'model.bin'], { cwd: root })
  expect(readdirSync(remote)).toEqual([])
  const { versions, bytes } = await both(root, 'model.bin')
  expect(versions.map(({ path }) => path)).toEqual(['model.bin'])
  expect(bytes).toBeLessThan(120_000)
})

test('of a change, and of a part', async () => {
  const { root } = await makeSource()
  await varve(['push'], { cwd: root })
  writeFiles(root, { 'data/c.bin': noise('c', 200_000), 'data/d.bin': noise('d', 200_000) })
  await varve(['add', 'data'], { cwd: root })
  expect((await both(root, 'data/c.bin')).bytes).toBeLessThan(250_000)
  expect((await both(root)).bytes).toBeLessThan(250_000)
})

test('refuses what a push refuses', async () => {
  const { root } = await makeSource()
  const words = ['push', '-n', 'data/nothing']
  const { exitCode, stderr } = await runVarve(words, { cwd: root })
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining('nothing in data matches')])
})
