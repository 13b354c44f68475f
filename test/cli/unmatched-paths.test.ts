import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { expectRefusal } from '../support/refusal.ts'
import { varve } from '../support/run-varve.ts'
import { treeOf } from '../support/tree-of.ts'

/** Two tracked files and a tracked directory, pushed; and a clone with an empty store. */
async function makeClone(): Promise<{ root: string; clone: string }> {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  writeFiles(root, {
    'data/sensors.csv': 'a,b\n',
    'data/flights.parquet': 'flights\n',
    'data/small/train/1.txt': '1\n',
    'data/small/notes.md': 'notes\n',
    'sub/code.py': 'pass\n',
  })
  await varve(['add', 'data/sensors.csv', 'data/flights.parquet', 'data/small'], { cwd: root })
  await varve(['remote', 'add', 'origin', join(makeFolder(), 'remote')], { cwd: root })
  commitAll(root, 'first')
  git(root, 'tag', 'v1')
  await varve(['push'], { cwd: root })
  const clone = join(makeFolder(), 'clone')
  git(root, 'clone', '--quiet', root, clone)
  return { root, clone }
}

const filesOf = (root: string) =>
  Object.entries(treeOf(join(root, 'data'))).flatMap(([path, what]) =>
    what === 'directory' || path.endsWith('.varve') || path === '.gitignore' ? [] : [path],
  )

const onlyOf = (root: string) =>
  (JSON.parse(readFileSync(join(root, '.git/varve/workspace.json'), 'utf8')) as { only: unknown }).only

const EVERYTHING = ['flights.parquet', 'sensors.csv', 'small/notes.md', 'small/train/1.txt']

test('a pattern over several tracked paths counts for those in which something matches', async () => {
  const { clone } = await makeClone()
  await varve(['pull', 'data/*.csv'], { cwd: clone })
  expect(filesOf(clone)).toEqual(['sensors.csv'])
  expect(onlyOf(clone)).toEqual({})
  await varve(['pull', 'data/**/*.md'], { cwd: clone })
  expect(filesOf(clone)).toEqual(['sensors.csv', 'small/notes.md'])
  expect(onlyOf(clone)).toEqual({ 'data/small': ['data/**/*.md'] })
  await varve(['checkout', 'data/**/*.csv'], { cwd: clone })
  expect(onlyOf(clone)).toEqual({ 'data/small': ['data/**/*.md'] })
  await varve(['pull', 'data/small'], { cwd: clone })
  await varve(['pull'], { cwd: clone })
  expect(filesOf(clone)).toEqual(EVERYTHING)
})

test('a path that is not in the tracked directory is refused, and not remembered', async () => {
  const { clone } = await makeClone()
  for (const command of ['pull', 'fetch', 'checkout', 'push']) {
    await expectRefusal(
      [command, 'data/small/tran'],
      { cwd: clone },
      {
        code: 'NOT_FOUND',
        message: 'nothing in data/small matches data/small/tran',
        hint: 'Did you mean data/small/train? `varve ls data/small` shows what is there.',
      },
    )
  }
  await expectRefusal(
    ['pull', 'data/small/train', '../data/small/train/*.jpg'],
    { cwd: join(clone, 'sub'), root: clone },
    { code: 'NOT_TRACKED', message: 'varve does not track data/small/train', hint: /varve status/ },
  )
  await expectRefusal(
    ['pull', '../data/small/train', '../data/small/train/*.jpg'],
    { cwd: join(clone, 'sub'), root: clone },
    {
      code: 'NOT_FOUND',
      message: 'nothing in data/small matches ../data/small/train/*.jpg',
      hint: '`varve ls ../data/small` shows what is there.',
    },
  )
  await varve(['pull'], { cwd: clone })
  expect(filesOf(clone)).toEqual(EVERYTHING)
})

test('a path in a revision is looked for there', async () => {
  const { root } = await makeClone()
  writeFiles(root, { 'data/small/val/2.txt': '2\n' })
  await varve(['add', 'data/small'], { cwd: root })
  commitAll(root, 'second')
  await varve(['push', 'data/small/val'], { cwd: root })
  for (const args of [
    ['checkout', 'v1', '--', 'data/small/val'],
    ['push', '--rev', 'v1', 'data/small/val'],
    ['fetch', '--rev', 'v1', 'data/small/val'],
  ]) {
    await expectRefusal(
      args,
      { cwd: root },
      {
        code: 'NOT_FOUND',
        message: 'nothing in data/small of v1 matches data/small/val',
        hint: /`varve ls v1:data\/small` shows/,
      },
    )
  }
  await varve(['push', '--all', 'data/small/val'], { cwd: root })
  await expectRefusal(
    ['push', '--all', 'data/small/vla'],
    { cwd: root },
    {
      code: 'NOT_FOUND',
      message: 'nothing in data/small matches data/small/vla',
      hint: /data\/small\/val\?/,
    },
  )
})

test('a part that a later version lacks is no error where no path is named', async () => {
  const { root, clone } = await makeClone()
  await varve(['pull', 'data/small/train'], { cwd: clone })
  writeFiles(root, { 'data/small/other.txt': 'other\n' })
  rmSync(join(root, 'data/small/train'), { recursive: true })
  await varve(['add', 'data/small'], { cwd: root })
  commitAll(root, 'second')
  await varve(['push'], { cwd: root })
  git(clone, 'pull', '--quiet')
  await varve(['pull'], { cwd: clone })
  expect(filesOf(clone)).toEqual(['flights.parquet', 'sensors.csv'])
})

test('a tracked file has nothing inside', async () => {
  const { clone } = await makeClone()
  await expectRefusal(
    ['pull', 'data/sensors.csv/part'],
    { cwd: clone },
    { code: 'NOT_TRACKED', message: 'varve does not track data/sensors.csv/part', hint: /varve status/ },
  )

  // What once was recorded for one does not keep it away.
  await varve(['pull', 'data/small'], { cwd: clone })
  const path = join(clone, '.git/varve/workspace.json')
  const saved = JSON.parse(readFileSync(path, 'utf8')) as object
  writeFileSync(path, JSON.stringify({ ...saved, only: { 'data/flights.parquet': ['data/*.csv'] } }))
  await varve(['pull'], { cwd: clone })
  expect(filesOf(clone)).toEqual(EVERYTHING)
  expect(onlyOf(clone)).toEqual({})
})
