import { expect, test } from 'vitest'
import { currentHead } from '../../../core/git/current-head.ts'
import { discoverRepository } from '../../../core/git/repository.ts'
import { resolveRevision } from '../../../core/git/resolve-revision.ts'
import { commitAll, git, makeRepository } from '../../support/git-fixture.ts'

test('resolves what names a commit, and nothing else', async () => {
  const root = makeRepository()
  const repository = await discoverRepository(root)
  expect(await currentHead(repository)).toBeUndefined()
  const first = commitAll(root, 'first', { 'a.txt': 'a' })
  git(root, 'tag', '--annotate', '--message', 'annotated', 'v1')
  const second = commitAll(root, 'second')
  expect(await currentHead(repository)).toBe(second)
  for (const text of ['HEAD~1', 'v1', 'refs/tags/v1', first, first.slice(0, 8), 'main^']) {
    expect(await resolveRevision(repository, text)).toBe(first)
  }
  for (const text of [
    'nope',
    '',
    '--all',
    '-1',
    '^HEAD',
    'HEAD..v1',
    'HEAD:a.txt',
    'HEAD^{tree}',
    'a\0b',
    'a\nb',
  ]) {
    expect(await resolveRevision(repository, text)).toBeUndefined()
  }
})
