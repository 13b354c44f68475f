import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { listTreePointers } from '../../../core/git/list-tree-pointers.ts'
import { toGitObjectId } from '../../../core/git/object-id.ts'
import { readBlobs } from '../../../core/git/read-blobs.ts'
import { discoverRepository } from '../../../core/git/repository.ts'
import { commitAll, git, makeRepository } from '../../support/git-fixture.ts'

test('blobs come in the order asked for, and one that is too large without its bytes', async () => {
  const root = makeRepository()
  const large = Buffer.alloc(5_000_000, Buffer.from('line\n0123456789'))
  commitAll(root, 'first', { 'a.varve': 'a\nb\n', 'large.varve': large, 'empty.varve': '', 'z.varve': 'zz' })
  const repository = await discoverRepository(root)
  const byPath = new Map(
    (await listTreePointers(repository, 'HEAD')).map((entry) => [entry.path, entry.blobSha]),
  )
  const wanted = ['z.varve', 'large.varve', 'empty.varve', 'a.varve'].map((path) => byPath.get(path)!)
  const blobs = []
  for await (const blob of readBlobs(repository, wanted))
    blobs.push({ ...blob, bytes: blob.bytes?.toString() })
  expect(blobs).toEqual([
    { blobSha: wanted[0], sizeBytes: 2, bytes: 'zz' },
    { blobSha: wanted[1], sizeBytes: 5_000_000, bytes: undefined },
    { blobSha: wanted[2], sizeBytes: 0, bytes: '' },
    { blobSha: wanted[3], sizeBytes: 4, bytes: 'a\nb\n' },
  ])
})

test('thousands of blobs go through one process', async () => {
  const root = makeRepository()
  mkdirSync(join(root, 'many'))
  for (let at = 0; at < 3000; at++) writeFileSync(join(root, `many/${at}.varve`), `${at}`.repeat(60))
  commitAll(root, 'many')
  const repository = await discoverRepository(root)
  const pointers = await listTreePointers(repository, 'HEAD')
  const contents = new Map<string, string>()
  for await (const blob of readBlobs(
    repository,
    pointers.map(({ blobSha }) => blobSha),
  )) {
    contents.set(blob.blobSha, blob.bytes!.toString())
  }
  expect(contents.size).toBe(3000)
  for (const { path, blobSha } of pointers) {
    expect(contents.get(blobSha)).toBe(/\d+/.exec(path)![0].repeat(60))
  }
})

test('an object that is not there, or no blob, is an error that names it', async () => {
  const root = makeRepository()
  commitAll(root, 'first', { 'a.varve': 'a' })
  const repository = await discoverRepository(root)
  const blobSha = (await listTreePointers(repository, 'HEAD'))[0]!.blobSha
  const absent = execFileSync('git', ['hash-object', '--stdin'], { cwd: root, input: 'never stored' })
  const blobs = (id: string) => readBlobs(repository, [toGitObjectId(id)])
  await expect(blobs(absent.toString().trim()).next()).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(blobs(git(root, 'rev-parse', 'HEAD^{tree}')).next()).rejects.toMatchObject({
    code: 'MALFORMED',
  })
  expect((await blobs(blobSha).next()).done).toBe(false)
})
