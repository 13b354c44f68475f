import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { discoverRepository } from '../../../core/git/repository.ts'
import { stageEdits } from '../../../core/git/stage-edits.ts'
import { commitAll, git, makeRepository, writeFiles } from '../../support/git-fixture.ts'

test('written files are staged, removed ones leave the index, those never known are passed over', async () => {
  const root = makeRepository()
  commitAll(root, 'first', { changed: '1', removed: '1', untouched: '1' })
  writeFiles(root, { changed: '2', 'made [a]': '1', untouched: '2' })
  rmSync(join(root, 'removed'))
  await stageEdits(await discoverRepository(root), ['changed', 'removed', 'made [a]', 'never', 'changed'])
  expect(git(root, 'diff', '--cached', '--no-renames', '--name-status').split('\n').sort()).toEqual([
    'A\tmade [a]',
    'D\tremoved',
    'M\tchanged',
  ])
})

test('with nothing edited, nothing is staged', async () => {
  const root = makeRepository()
  writeFiles(root, { a: '1' })
  await stageEdits(await discoverRepository(root), [])
  expect(git(root, 'ls-files')).toBe('')
})
