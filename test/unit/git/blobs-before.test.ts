import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { blobsBefore } from '../../../core/git/blobs-before.ts'
import type { GitObjectId } from '../../../core/git/object-id.ts'
import { discoverRepository } from '../../../core/git/repository.ts'
import { commitAll, git, makeRepository } from '../../support/git-fixture.ts'

test('gives the blob in the first parent, in the order asked for', async () => {
  const root = makeRepository()
  const first = commitAll(root, 'first', { 'a b.varve': 'one', 'c.varve': 'other' }) as GitObjectId
  const second = commitAll(root, 'second', { 'a b.varve': 'two' }) as GitObjectId
  rmSync(join(root, 'c.varve'))
  const third = commitAll(root, 'third') as GitObjectId
  const blobAt = (spec: string) => git(root, 'rev-parse', spec)
  const repository = await discoverRepository(root)
  const steps = [
    { commit: third, path: 'c.varve' },
    { commit: first, path: 'a b.varve' },
    { commit: second, path: 'line\nbreak' },
    { commit: second, path: 'a b.varve' },
    { commit: third, path: 'never.varve' },
    { commit: third, path: 'a b.varve' },
  ]
  expect(await blobsBefore(repository, steps)).toEqual([
    blobAt(`${first}:c.varve`),
    undefined,
    undefined,
    blobAt(`${first}:a b.varve`),
    undefined,
    blobAt(`${second}:a b.varve`),
  ])
  expect(await blobsBefore(repository, [])).toEqual([])
})

test('a merge has its first parent, and a folder is no blob', async () => {
  const root = makeRepository()
  commitAll(root, 'base', { 'a.varve': 'base', 'folder/x': 'x' })
  git(root, 'checkout', '--quiet', '-b', 'side')
  commitAll(root, 'side', { 'a.varve': 'side' })
  git(root, 'checkout', '--quiet', 'main')
  commitAll(root, 'main', { other: 'x' })
  git(root, 'merge', '--quiet', '--no-edit', 'side')
  const merge = git(root, 'rev-parse', 'HEAD') as GitObjectId
  const repository = await discoverRepository(root)
  const steps = ['a.varve', 'folder'].map((path) => ({ commit: merge, path }))
  expect(await blobsBefore(repository, steps)).toEqual([git(root, 'rev-parse', 'main^:a.varve'), undefined])
})
