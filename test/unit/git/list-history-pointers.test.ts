import { chmodSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type HistoryRange, listHistoryPointers } from '../../../core/git/list-history-pointers.ts'
import { logOfPath } from '../../../core/git/log-of-path.ts'
import { discoverRepository } from '../../../core/git/repository.ts'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../../support/git-fixture.ts'

const ODD_NAME = '\u0001o dd\n:"näme".varve'

/** Each as `SUBJECT PATH CONTENT`, sorted. */
async function history(root: string, range: HistoryRange): Promise<string[]> {
  const found: string[] = []
  for await (const { commit, path, blobSha } of listHistoryPointers(await discoverRepository(root), range)) {
    const subject = git(root, 'log', '-1', '--no-show-signature', '--format=%s', commit)
    found.push(`${subject} ${path} ${git(root, 'cat-file', 'blob', blobSha)}`)
  }
  return found.sort()
}

/** Puts a signature into the newest commit; of no worth, but git takes it for one. */
function signHead(root: string): void {
  const text = git(root, 'cat-file', 'commit', 'HEAD')
  const signature = '-----BEGIN PGP SIGNATURE-----\n \n AAAA\n -----END PGP SIGNATURE-----'
  writeFileSync(join(root, '.git/signed'), `${text.replace('\n\n', `\ngpgsig ${signature}\n\n`)}\n`)
  git(root, 'reset', '--quiet', '--soft', git(root, 'hash-object', '-t', 'commit', '-w', '.git/signed'))
}

test('every version of every pointer, from the root commit on; no deletions, links or other files', async () => {
  const root = makeRepository()
  commitAll(root, 'c1', { 'a.varve': '1', 'x.txt': 'x', [`d/${ODD_NAME}`]: 'odd' })
  commitAll(root, 'c2', { 'a.varve': '2', 'b.varve': 'b' })
  rmSync(join(root, 'b.varve'))
  symlinkSync('a.varve', join(root, 'link.varve'))
  commitAll(root, 'c3')
  commitAll(root, 'c4', { 'x.txt': 'y' })
  expect(await history(root, { include: ['HEAD'] })).toEqual([
    'c1 a.varve 1',
    `c1 d/${ODD_NAME} odd`,
    'c2 a.varve 2',
    'c2 b.varve b',
  ])
})

test('what is excluded is left out, and an unknown commit among it does no harm', async () => {
  const root = makeRepository()
  const first = commitAll(root, 'c1', { 'a.varve': '1' })
  commitAll(root, 'c2', { 'a.varve': '2' })
  const tree = git(root, 'rev-parse', 'HEAD^{tree}')
  const exclude = [first, '0'.repeat(39).concat('1'), 'nonsense', '--all', tree]
  expect(await history(root, { include: ['HEAD'], exclude })).toEqual(['c2 a.varve 2'])
  expect(await history(root, { include: [`${first}..main`] })).toEqual(['c2 a.varve 2'])
})

test('a merge gives what it made itself; what a side branch made comes from that branch, also if discarded', async () => {
  const root = makeRepository()
  commitAll(root, 'base', { 'a.varve': 'base', 'b.varve': 'base' })
  git(root, 'checkout', '--quiet', '-b', 'side')
  commitAll(root, 'side', { 'a.varve': 'side', 'b.varve': 'side' })
  git(root, 'checkout', '--quiet', 'main')
  commitAll(root, 'main', { 'a.varve': 'main' })
  expect(() => git(root, 'merge', '--quiet', 'side')).toThrow()
  commitAll(root, 'merge', { 'a.varve': 'resolved' })
  git(root, 'checkout', '--quiet', '-b', 'lost')
  commitAll(root, 'lost', { 'a.varve': 'lost' })
  git(root, 'checkout', '--quiet', 'main')
  git(root, 'merge', '--quiet', '--strategy=ours', '--no-ff', '--message', 'discard', 'lost')
  expect(await history(root, { include: ['HEAD'] })).toEqual([
    'base a.varve base',
    'base b.varve base',
    'lost a.varve lost',
    'main a.varve main',
    'merge a.varve resolved',
    'side a.varve side',
    'side b.varve side',
  ])
})

test('an octopus merge is read as any other', async () => {
  const root = makeRepository()
  commitAll(root, 'base', { 'a.txt': 'a' })
  for (const name of ['x', 'y']) {
    git(root, 'checkout', '--quiet', '-b', name, 'main')
    commitAll(root, name, { [`${name}.varve`]: name })
  }
  git(root, 'checkout', '--quiet', 'main')
  commitAll(root, 'main', { 'm.varve': 'm' })
  git(root, 'merge', '--quiet', '--no-commit', 'x', 'y')
  writeFiles(root, { 'm.varve': 'evil', 'new.varve': 'new' })
  commitAll(root, 'octopus')
  expect(git(root, 'rev-list', '--parents', '-1', 'HEAD').split(' ')).toHaveLength(4)
  expect(await history(root, { include: ['HEAD'] })).toEqual([
    'main m.varve m',
    'octopus m.varve evil',
    'octopus new.varve new',
    'x x.varve x',
    'y y.varve y',
  ])
})

test('all takes every ref and the stash; reflog what no ref reaches', async () => {
  const root = makeRepository()
  commitAll(root, 'c1', { 'a.varve': '1' })
  git(root, 'checkout', '--quiet', '-b', 'other')
  commitAll(root, 'c2', { 'a.varve': '2' })
  git(root, 'checkout', '--quiet', 'main')
  commitAll(root, 'c3', { 'a.varve': '3' })
  git(root, 'reset', '--quiet', '--hard', 'HEAD~1')
  writeFiles(root, { 'a.varve': 'stashed' })
  git(root, 'stash')
  const contents = async (range: HistoryRange) => {
    return new Set((await history(root, range)).map((line) => line.split(' ').at(-1)))
  }
  expect(await contents({ include: ['HEAD'] })).toEqual(new Set(['1']))
  expect(await contents({ include: [], all: true })).toEqual(new Set(['1', '2', 'stashed']))
  expect(await contents({ include: [], all: true, reflog: true })).toEqual(
    new Set(['1', '2', '3', 'stashed']),
  )
})

test('a branch without a commit has no history', async () => {
  const root = makeRepository()
  expect(await history(root, { include: ['HEAD'] })).toEqual([])
  expect(await history(root, { include: ['HEAD'], all: true, reflog: true })).toEqual([])
  expect(await logOfPath(await discoverRepository(root), 'a.varve')).toEqual([])
})

test('an unknown revision is not found, and one that looks like an option never reaches git', async () => {
  const root = makeRepository()
  commitAll(root, 'c1', { 'a.varve': '1' })
  for (const revision of ['nope', '', '--all', '-n1', 'main\n--all']) {
    await expect(history(root, { include: [revision] })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  }
})

test('a shallow clone has what its commits hold', async () => {
  const root = makeRepository()
  commitAll(root, 'c1', { 'a.varve': '1', 'b.varve': 'b' })
  commitAll(root, 'c2', { 'a.varve': '2' })
  const folder = makeFolder()
  git(folder, 'clone', '--quiet', '--depth=1', `file://${root}`, 'shallow')
  expect(await history(join(folder, 'shallow'), { include: ['HEAD'] })).toEqual([
    'c2 a.varve 2',
    'c2 b.varve b',
  ])
})

test('settings for git log that a user may have change nothing', async () => {
  const root = makeRepository()
  commitAll(root, 'c1', { 'a.varve': '1' })
  renameSync(join(root, 'a.varve'), join(root, 'b.varve'))
  commitAll(root, 'c2')
  signHead(root)
  const all = async () => ({
    history: await history(root, { include: ['HEAD'] }),
    log: await logOfPath(await discoverRepository(root), 'b.varve'),
  })
  const expected = await all()
  expect(expected.history).toEqual(['c1 a.varve 1', 'c2 b.varve 1'])
  expect(expected.log.map(({ path }) => path)).toEqual(['b.varve', 'a.varve'])
  for (const setting of [
    ['log.showRoot', 'false'],
    ['log.follow', 'true'],
    ['log.showSignature', 'true'],
    ['log.diffMerges', 'off'],
    ['diff.renames', 'copies'],
    ['color.ui', 'always'],
    ['diff.noprefix', 'true'],
    ['format.pretty', 'oneline'],
  ]) {
    git(root, 'config', ...setting)
  }
  // A stand-in for gpg, whose verdict `git log` would print among the commits.
  writeFileSync(
    join(root, '.git/verify'),
    '#!/bin/sh\necho "[GNUPG:] GOODSIG 1 x"; echo "Good signature" >&2\n',
  )
  chmodSync(join(root, '.git/verify'), 0o755)
  git(root, 'config', 'gpg.program', join(root, '.git/verify'))
  expect(git(root, 'log', '-1')).toContain('Good signature')
  expect(await all()).toEqual(expected)
})
