import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { createWorkers, type Workers } from '../../../core/workers/workers.ts'
import { IgnoreRules } from '../../../core/workspace/ignore-rules.ts'
import { type ScannedDirectory, scanDirectory } from '../../../core/workspace/scan-directory.ts'
import { scanPathInThreads } from '../../../core/workspace/scan-path.ts'
import { scanTree } from '../../../core/workspace/scan-tree.ts'
import { temporaryName } from '../../../core/workspace/temporary-name.ts'
import { writeFiles } from '../../support/git-fixture.ts'
import { varveErrorFrom } from '../../support/varve-error.ts'
import { Workspace } from '../../support/workspace-fixture.ts'

const script = new URL('../../../dist/worker.js', import.meta.url)

let workers: Workers | undefined
afterEach(() => workers?.close())

/** `filesAlone` of 0: all but the first directory are scanned by the task. */
function makeScan(options: { threads?: number; filesAlone?: number } = {}) {
  const { threads = 0, filesAlone } = options
  const workspace = new Workspace()
  const { root, cache } = workspace
  workers = createWorkers(threads === 0 ? { threads: 1 } : { threads, script })
  const scan = (more: { onProgress?: (files: number) => void; signal?: AbortSignal } = {}) =>
    scanTree({
      root,
      path: 'data',
      cache,
      workers: workers!,
      ...(filesAlone !== undefined && { filesAlone }),
      ...more,
    })
  return { workspace, root, cache, scan, at: (path: string) => join(root, 'data', path) }
}

function makeTree(root: string): void {
  const names = ['a', 'sub/b', 'sub/deep/c', 'sub/deep/.varveignore', 'sub/deep/left out', 'z/y/x/w']
  writeFiles(root, Object.fromEntries(names.map((name) => [`data/${name}`, `content of ${name}`])))
  writeFileSync(join(root, 'data/sub/deep/.varveignore'), 'left*\n')
  mkdirSync(join(root, 'data/empty'))
  symlinkSync('../a', join(root, 'data/sub/link'))
}

function plain(directory: ScannedDirectory): unknown {
  const { name, links, directories } = directory
  return { name, files: [...directory.files()], links, directories: directories.map(plain) }
}

test.each([{ threads: 0 }, { threads: 0, filesAlone: 0 }, { threads: 2, filesAlone: 0 }])(
  'finds what scanDirectory finds (%o)',
  async (options) => {
    const { root, scan, at } = makeScan(options)
    makeTree(root)
    writeFileSync(at(`sub/${temporaryName()}`), '')
    const scanned = await scan()
    const path = join(root, 'data')
    const expected = scanDirectory({ path, label: 'data', ignore: IgnoreRules.load(root, path) })
    expect(expected.leftovers).toHaveLength(1)
    expect(plain(scanned!)).toEqual(plain(expected))
    expect(scanned!.leftovers).toEqual(expected.leftovers)
  },
)

test.each([{ threads: 0 }, { threads: 2, filesAlone: 0 }])(
  'knows the directories of which the cache knows all files (%o)',
  async (options) => {
    const { workspace, root, scan, at } = makeScan(options)
    writeFiles(root, { 'data/one/a': '1', 'data/one/b': '2', 'data/two/a': '3', 'data/a': '4' })
    // A file that is read in the tick in which it was written is not trusted to stay as it is.
    await setTimeout(50)
    await workspace.add()
    writeFileSync(at('two/a'), '33')
    const scanned = (await scan())!
    expect(scanned.known).toBeUndefined()
    expect(scanned.directories.map(({ name, known }) => [name, known?.files])).toEqual([
      ['one', 2],
      ['two', undefined],
    ])
  },
)

test.each([{ threads: 0 }, { threads: 2, filesAlone: 0 }])(
  'what no version can hold is refused by its name (%o)',
  async (options) => {
    const { root, scan, at } = makeScan(options)
    makeTree(root)
    execFileSync('mkfifo', [at('sub/deep/pipe')])
    const error = await varveErrorFrom(scan())
    expect(error).toMatchObject({
      code: 'UNSUPPORTED_FILE',
      message: 'data/sub/deep/pipe is a named pipe',
    })
    expect(error.hint).toContain('.varveignore')
  },
)

test('counts the files found, and is undefined where the directory is gone', async () => {
  const { root, scan } = makeScan()
  makeTree(root)
  const counts: number[] = []
  await scan({ onProgress: (files) => counts.push(files) })
  expect(counts.at(-1)).toBe(6)
  expect(counts).toEqual(counts.toSorted((a, b) => a - b))
  rmSync(join(root, 'data'), { recursive: true })
  expect(await scan()).toBeUndefined()
})

test('ends when the command is interrupted', async () => {
  const { root, scan } = makeScan({ filesAlone: 0 })
  makeTree(root)
  expect(await varveErrorFrom(scan({ signal: AbortSignal.abort() }))).toMatchObject({ code: 'INTERRUPTED' })
})

test('a path is looked at the same way, be it a file, a link or nothing', async () => {
  const { root, cache } = makeScan()
  makeTree(root)
  const look = (path: string) => scanPathInThreads({ root, path, cache, workers: workers! })
  expect(await look('data/a')).toMatchObject({ kind: 'file', name: 'a' })
  expect(await look('data/sub/link')).toMatchObject({ kind: 'link', target: '../a' })
  expect(await look('data/nothing')).toBeUndefined()
  expect(await look('data/sub')).toMatchObject({ kind: 'dir', name: 'sub', directories: [{ name: 'deep' }] })
})
