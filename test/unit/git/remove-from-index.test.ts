import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { removeFromIndex } from '../../../core/git/remove-from-index.ts'
import { discoverRepository } from '../../../core/git/repository.ts'
import { commitAll, git, makeRepository, writeFiles } from '../../support/git-fixture.ts'

const staged = (root: string) => {
  return git(root, 'diff', '--cached', '--name-only', '-z', '--no-renames').split('\0').filter(Boolean).sort()
}

test('removes from the index alone, also what was changed since, and passes over what is not in it', async () => {
  const root = makeRepository()
  commitAll(root, 'first', { ':(glob)*.varve': '1', 'b.varve': '2' })
  writeFiles(root, { ':(glob)*.varve': 'staged' })
  git(root, 'add', '--all')
  writeFiles(root, { ':(glob)*.varve': 'changed again' })
  await removeFromIndex(await discoverRepository(root), [':(glob)*.varve', 'absent.varve'])
  expect(staged(root)).toEqual([':(glob)*.varve'])
  expect(readFileSync(join(root, ':(glob)*.varve'), 'utf8')).toBe('changed again')
})
