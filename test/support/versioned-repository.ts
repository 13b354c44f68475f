import { createHash } from 'node:crypto'
import { chmodSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from './git-fixture.ts'
import { varve } from './run-varve.ts'

export const BIG_BYTES = 600_000

/** Bytes that do not compress, the same for the same seed. */
export function noise(seed: string, sizeBytes = BIG_BYTES): Buffer {
  const blocks: Buffer[] = []
  for (let at = 0; at < sizeBytes; at += 32)
    blocks.push(createHash('sha256').update(`${seed} ${at}`).digest())
  return Buffer.concat(blocks).subarray(0, sizeBytes)
}

/**
 * A repository with two tracked paths and two versions of one, tagged v1 and v2: `data` gets a new file, loses one, has
 * one renamed and one changed; `models/base.bin` stays.
 */
export async function makeVersionedRepository(): Promise<string> {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  writeFiles(root, {
    'data/big.bin': noise('big'),
    'data/old.txt': 'old\n',
    'data/same.txt': 'same\n',
    'data/sub/deep/leaf.txt': 'leaf\n',
    'data/sub/gone.txt': 'gone\n',
    'models/base.bin': 'model\n',
  })
  symlinkSync('same.txt', join(root, 'data/link'))
  await varve(['add', 'data', 'models/base.bin'], { cwd: root })
  commitAll(root, 'first')
  git(root, 'tag', 'v1')
  rmSync(join(root, 'data/sub/gone.txt'))
  rmSync(join(root, 'data/old.txt'))
  writeFiles(root, {
    'data/new name.txt': 'old\n',
    'data/same.txt': 'changed\n',
    'data/v2:notes.txt': 'notes\n',
  })
  await varve(['add', 'data'], { cwd: root })
  commitAll(root, 'second')
  git(root, 'tag', 'v2')
  return root
}

/** Pushes everything to a new folder, and gives a fresh clone whose store is empty. */
export async function pushAndClone(root: string): Promise<string> {
  const remote = join(makeFolder(), 'remote')
  await varve(['remote', 'add', 'origin', remote], { cwd: root })
  commitAll(root, 'remote')
  await varve(['push', '--all'], { cwd: root })
  const clone = join(makeFolder(), 'clone')
  git(root, 'clone', '--quiet', root, clone)
  return clone
}

/** The packs of a store, made writable so that a test can damage them. */
export function packFiles(store: string): string[] {
  const packs = join(store, 'packs')
  return readdirSync(packs)
    .flatMap((folder) => readdirSync(join(packs, folder)).map((file) => join(packs, folder, file)))
    .map((path) => {
      chmodSync(path, 0o644)
      return path
    })
}
