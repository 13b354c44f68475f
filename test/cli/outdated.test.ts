import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { expectRefusal } from '../support/refusal.ts'
import { varve, varveJson } from '../support/run-varve.ts'

type Status = { paths: { path: string; state: string; changes: { path: string }[]; onRemote?: boolean }[] }
type CheckedOut = { paths: { edited: string[]; isPointerMoved: boolean }[]; leftBehind: string[] }

const FILES = { 'd/1.txt': 'one', 'd/2.txt': 'two', 'd/3.txt': 'three' }

/** Ana's repository and Ben's clone, both with `d`; then Ben changes 1.txt, adds 5.txt and pushes, and Ana pulls from git. */
async function twoPeople(): Promise<{ ana: string; ben: string }> {
  const ana = makeRepository()
  await varve(['init'], { cwd: ana })
  await varve(['remote', 'add', 'origin', join(makeFolder(), 'remote')], { cwd: ana })
  writeFiles(ana, FILES)
  await varve(['add', 'd'], { cwd: ana })
  commitAll(ana, 'first')
  await varve(['push'], { cwd: ana })
  const ben = join(makeFolder(), 'ben')
  git(ana, 'clone', '--quiet', ana, ben)
  await varve(['pull'], { cwd: ben })
  writeFiles(ben, { 'd/1.txt': 'ONE', 'd/5.txt': 'five' })
  await varve(['add', 'd'], { cwd: ben })
  commitAll(ben, 'by Ben')
  await varve(['push'], { cwd: ben })
  git(ana, 'pull', '--quiet', ben, 'main')
  return { ana, ben }
}

test('data that git left behind is outdated, and adding it is refused: it would undo what came in', async () => {
  const { ana } = await twoPeople()
  const { paths } = await varveJson<Status>(['status'], { cwd: ana })
  expect(paths).toMatchObject([{ path: 'd', state: 'outdated', changes: [] }])
  expect(paths[0]?.onRemote).toBeUndefined()
  const pointer = readFileSync(join(ana, 'd.varve'), 'utf8')
  await expectRefusal(
    ['add', 'd'],
    { cwd: ana },
    { code: 'CONFLICT', message: /undo/, hint: /varve checkout d/ },
  )
  const updated = await varveJson<{ added: unknown[]; warnings: string[] }>(['add', '-u'], { cwd: ana })
  expect(updated).toMatchObject({ added: [], warnings: [expect.stringContaining('undo')] })
  expect(readFileSync(join(ana, 'd.varve'), 'utf8')).toBe(pointer)
  await varve(['pull'], { cwd: ana })
  expect(readFileSync(join(ana, 'd/1.txt'), 'utf8')).toBe('ONE')
  expect((await varveJson<Status>(['status'], { cwd: ana })).paths).toMatchObject([{ state: 'unchanged' }])
})

test('a change of a file that came in unchanged stays, and is added on top', async () => {
  const { ana } = await twoPeople()
  writeFiles(ana, { 'd/2.txt': 'mine' })
  const { paths } = await varveJson<Status>(['status'], { cwd: ana })
  expect(paths).toMatchObject([{ state: 'outdated', changes: [{ path: 'd/2.txt' }] }])
  await varve(['fetch'], { cwd: ana })
  const checkedOut = await varveJson<CheckedOut>(['checkout'], { cwd: ana })
  expect(checkedOut.paths[0]?.edited).toEqual(['d/2.txt'])
  const texts = ['d/1.txt', 'd/2.txt', 'd/5.txt'].map((path) => readFileSync(join(ana, path), 'utf8'))
  expect(texts).toEqual(['ONE', 'mine', 'five'])
  await varve(['add', 'd'], { cwd: ana })
  const diff = await varveJson<{ changes: unknown[] }[]>(['diff', 'HEAD'], { cwd: ana })
  expect(diff[0]?.changes).toMatchObject([{ change: 'modified', path: 'd/2.txt' }])
})

test('a change of a file that came in changed stops the checkout, and the hint does not say to add it', async () => {
  const { ana } = await twoPeople()
  writeFiles(ana, { 'd/1.txt': 'mine' })
  await varve(['fetch'], { cwd: ana })
  const refusal = { code: 'WOULD_LOSE_DATA', message: /d\/1\.txt/, hint: /another place/ } as const
  await expectRefusal(['checkout'], { cwd: ana }, refusal)
})

test('add --force adds what is here', async () => {
  const { ana } = await twoPeople()
  await varve(['add', '--force', 'd'], { cwd: ana })
  expect((await varveJson<Status>(['status'], { cwd: ana })).paths).toMatchObject([{ state: 'unchanged' }])
})

test('data of a path that the commit does not track is named, and stays', async () => {
  const { ana } = await twoPeople()
  await varve(['pull'], { cwd: ana })
  git(ana, 'checkout', '--quiet', '--orphan', 'empty')
  git(ana, 'rm', '-r', '--quiet', '--cached', '.')
  rmSync(join(ana, 'd.varve'))
  const { leftBehind } = await varveJson<CheckedOut>(['checkout'], { cwd: ana })
  expect(leftBehind).toEqual(['d'])
  expect(existsSync(join(ana, 'd/1.txt'))).toBe(true)
})

test('a checkout of a revision tells which pointers it moved, and refuses one inside another', async () => {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  writeFiles(root, { 'm/a.txt': 'a', 'other.txt': 'o' })
  await varve(['add', 'm', 'other.txt'], { cwd: root })
  commitAll(root, 'first')
  const again: CheckedOut = JSON.parse(await varve(['checkout', '--json', 'HEAD', '--', 'm'], { cwd: root }))
  expect(again.paths.map(({ isPointerMoved }) => isPointerMoved)).toEqual([false])
  await varve(['untrack', 'm'], { cwd: root })
  await varve(['add', 'm/a.txt'], { cwd: root })
  commitAll(root, 'second')
  const refusal = { code: 'CONFLICT', message: /m .*m\/a\.txt/, hint: /untrack m\/a\.txt/ } as const
  await expectRefusal(['checkout', 'HEAD~1', '--', 'm'], { cwd: root }, refusal)
})
