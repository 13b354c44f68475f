import {
  appendFileSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Digest, digestOf, hexOf } from '../../../core/content-id.ts'
import type { EntryKind } from '../../../core/format/pack.ts'
import { decodeNode, encodeNode, encodeRecipeRoot, type RecipeRoot } from '../../../core/format/recipe.ts'
import type { ProgressEvent } from '../../../core/progress.ts'
import { PackWriter } from '../../../core/store/pack-writer.ts'
import { Store } from '../../../core/store/store.ts'
import { StoreWriter } from '../../../core/store/store-writer.ts'
import { createWorkers, type Workers } from '../../../core/workers/workers.ts'
import { stampOf } from '../../../core/workspace/file-stamp.ts'
import { materialiseFiles } from '../../../core/workspace/materialise-files.ts'
import {
  createTemporary,
  type FilePart,
  type MaterialiseJob,
  materialiseTask,
} from '../../../core/workspace/materialise-task.ts'
import type { FileToWrite } from '../../../core/workspace/plan-checkout.ts'
import { StatCache } from '../../../core/workspace/stat-cache.ts'
import { addVersion } from '../../support/build-store.ts'
import { addLargeBlob, type LargeBlob } from '../../support/large-blob.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { varveErrorFrom } from '../../support/varve-error.ts'

const script = new URL('../../../dist/worker.js', import.meta.url)

let folder: string
let store: Store
let blob: LargeBlob
let workers: Workers
let root: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'varve-test-'))
  blob = addLargeBlob(join(folder, 'store'))
  store = Store.open(join(folder, 'store'))
})

afterAll(() => {
  store.close()
  rmSync(folder, { recursive: true, force: true })
})

beforeEach(() => {
  workers = createWorkers({ threads: 1 })
  root = makeTemporaryFolder()
})

afterEach(() => workers.close())

const at = (path: string) => join(root, path)
const largeFile = (path: string, change: Partial<FileToWrite> = {}): FileToWrite => ({
  ...{ path, digest: blob.digest, sizeBytes: blob.sizeBytes, executable: false, replaces: undefined },
  ...change,
})

async function write(files: readonly FileToWrite[], options: { by?: Workers; signal?: AbortSignal } = {}) {
  const progress: ProgressEvent[] = []
  const cache = StatCache.open(join(makeTemporaryFolder(), 'stat-cache'))
  const { by = workers, signal } = options
  const onProgress = (event: ProgressEvent) => void progress.push(event)
  await materialiseFiles({ root, store, cache, workers: by, files, onProgress, signal })
  return progress
}

/** Workers as they are, with `watch` called before each question is answered. */
function watched(watch: (question: { result?: { type: string } }) => void): Workers {
  return {
    ...workers,
    run: (task, input, answer, options) =>
      workers.run(
        task,
        input,
        (question, thread) => {
          watch(question as { result?: { type: string } })
          return answer(question, thread)
        },
        options,
      ),
  }
}

function expectLargeFile(path: string): void {
  expect(hexOf(digestOf(readFileSync(at(path))))).toBe(hexOf(blob.digest))
}

describe('large files, written part by part', () => {
  test.each([
    ['this thread', () => createWorkers({ threads: 1 })],
    ['three runs in this thread', () => createWorkers({ threads: 3 })],
    ['two threads of the built program', () => createWorkers({ threads: 2, script })],
  ])('are whole, with their modes, in place, and counted, by %s', async (_, by) => {
    const small = addVersion(store, 'small')
    if (small.kind !== 'file') throw new Error('no file')
    await workers.close()
    workers = by()
    const umask = process.umask(0o027)
    const progress = await write([
      largeFile('one'),
      { ...largeFile('small'), digest: small.digest, sizeBytes: small.sizeBytes },
      largeFile('tool', { executable: true }),
    ]).finally(() => process.umask(umask))
    for (const path of ['one', 'tool']) expectLargeFile(path)
    expect(readFileSync(at('small'), 'utf8')).toBe('small')
    const modes = ['one', 'small', 'tool'].map((path) => lstatSync(at(path)).mode & 0o777)
    expect(modes).toEqual([0o640, 0o640, 0o750])
    expect(readdirSync(root).sort()).toEqual(['one', 'small', 'tool'])
    const bytesTotal = 2 * blob.sizeBytes + 5
    expect(progress.at(-1)).toEqual({
      ...{ phase: 'checking out', filesDone: 3, filesTotal: 3, bytesDone: bytesTotal, bytesTotal },
    })
  })

  test('replace what the plan says that they replace', async () => {
    writeFileSync(at('f'), 'before')
    await write([largeFile('f', { replaces: stampOf(lstatSync(at('f'))) })])
    expectLargeFile('f')
    expect(readdirSync(root)).toEqual(['f'])
  })

  test('whose place was changed while they were written are not put there', async () => {
    writeFileSync(at('f'), 'before')
    const file = largeFile('f', { replaces: stampOf(lstatSync(at('f'))) })
    let parts = 0
    const by = watched(({ result }) => {
      if (result?.type === 'part' && ++parts === 5) appendFileSync(at('f'), ' and mine')
    })
    const error = await varveErrorFrom(write([file], { by }))
    expect(error).toMatchObject({ code: 'WOULD_LOSE_DATA', message: expect.stringMatching(/^f was changed/) })
    expect(readFileSync(at('f'), 'utf8')).toBe('before and mine')
    expect(readdirSync(root)).toEqual(['f'])
  })

  test('leave nothing where the user ends it', async () => {
    const end = new AbortController()
    let parts = 0
    const by = watched(({ result }) => {
      if (result?.type === 'part' && ++parts === 2) end.abort()
    })
    const error = await varveErrorFrom(write([largeFile('f')], { by, signal: end.signal }))
    expect(error.code).toBe('INTERRUPTED')
    expect(readdirSync(root)).toEqual([])
  })
})

describe('of a store that lacks or lies', () => {
  test('a recipe that gives other bytes: nothing is put in place, nothing is left', async () => {
    const digest = digestOf(Buffer.from('what no recipe here gives'))
    plantRecipe(digest, blob.root)
    const error = await varveErrorFrom(write([largeFile('f', { digest })]))
    expect(error).toMatchObject({
      code: 'CORRUPT',
      message: expect.stringMatching(/^f: .*gives other bytes/),
    })
    expect(error.hint).toContain('varve verify')
    expect(readdirSync(root)).toEqual([])
  })

  test.each([
    ['is no leaf', 1, 40 << 20],
    ['holds fewer bytes than it is said to', 0, 39 << 20],
  ])('a leaf node that %s', async (_, level, lengthBytes) => {
    const leaf = encodeNode(level, [{ digest: digestOf(Buffer.from('?')), lengthBytes }])
    const top = encodeNode(1, [{ digest: digestOf(leaf), lengthBytes: 40 << 20 }])
    for (const node of [leaf, top]) plant('node', digestOf(node), node)
    const digest = digestOf(top)
    plantRecipe(digest, { rootNode: digestOf(top), lengthBytes: 40 << 20 })
    const error = await varveErrorFrom(write([largeFile('f', { digest, sizeBytes: 40 << 20 })]))
    expect(error).toMatchObject({ code: 'CORRUPT', message: expect.stringMatching(/^f: /) })
    expect(readdirSync(root)).toEqual([])
  })

  test.each([
    ['is missing', 'MISSING_BYTES', undefined],
    ['has another length than its node says', 'CORRUPT', Buffer.from('a short one')],
  ])('a chunk that %s', async (_, code, content) => {
    if (content !== undefined) plant('chunk', digestOf(content), content)
    const chunk = { digest: digestOf(content ?? Buffer.from('gone')), lengthBytes: 40 << 20 }
    const leaf = encodeNode(0, [chunk])
    plant('node', digestOf(leaf), leaf)
    const digest = digestOf(leaf)
    plantRecipe(digest, { rootNode: digest, lengthBytes: 40 << 20 })
    const error = await varveErrorFrom(write([largeFile('f', { digest, sizeBytes: 40 << 20 })]))
    expect([error.code, error.message.slice(0, 2)]).toEqual([code, 'f:'])
    expect(readdirSync(root)).toEqual([])
  })
})

/** Puts an entry into the store, whatever it says. */
function plant(kind: EntryKind, digest: Digest, bytes: Buffer): void {
  const writer = new StoreWriter(store)
  const onSealed = writer.addPack.bind(writer)
  const pack = new PackWriter({ root: store.root, class: 'metadata', onSealed })
  pack.append(kind, digest, bytes)
  pack.seal()
  writer.finish()
}

function plantRecipe(blob: Digest, recipe: RecipeRoot): void {
  plant('recipe', blob, encodeRecipeRoot(recipe))
}

/** Runs the task on `jobs`; gives its results. */
async function runTask(jobs: MaterialiseJob[]) {
  const results: unknown[] = []
  const left = [...jobs]
  await materialiseTask.run({ root: store.root }, async ({ result }) => {
    if (result !== undefined) results.push(result)
    return left.shift()
  })
  return results
}

function partsInto(temporary: string): FilePart[] {
  const { entries } = decodeNode(store.readEntry('node', blob.root.rootNode), 'root')
  let start = 0
  return entries.map(({ digest: node, lengthBytes }) => {
    start += lengthBytes
    return { index: 7, label: 'f', temporary, node, start: start - lengthBytes, lengthBytes }
  })
}

const UNPLACED = { location: undefined, provenRecipe: undefined }

describe('the task', () => {
  test('writes parts in any order, and proves the whole', async () => {
    const file = { ...largeFile('f'), index: 7, path: at('f'), label: 'f', ...UNPLACED }
    const temporary = createTemporary(file)
    const parts = partsInto(temporary)
    expect(parts).toHaveLength(5)
    const order = [4, 1, 3, 0, 2].map((i): MaterialiseJob => ({ type: 'part', part: parts[i]! }))
    const results = await runTask([...order, { type: 'finish', file, temporary }])
    expectLargeFile('f')
    const bytes = [1.25, 8, 8, 8, 8].map((mib) => mib * (1 << 20))
    expect(results).toEqual([
      ...bytes.map((count) => ({ type: 'part', index: 7, bytes: count })),
      { type: 'files', done: [{ index: 7, stamp: stampOf(lstatSync(at('f'))) }] },
    ])
  })

  test('takes the word of a proven recipe, and of no other', async () => {
    const file = { ...largeFile('f'), index: 7, path: at('f'), label: 'f', ...UNPLACED }
    const { root } = blob
    const other = { ...file, digest: digestOf(Buffer.from('another file')) }
    for (const provenRecipe of [undefined, root]) {
      const temporary = createTemporary(file)
      const parts = partsInto(temporary).map((part): MaterialiseJob => ({ type: 'part', part }))
      const run = runTask([...parts, { type: 'finish', file: { ...other, provenRecipe }, temporary }])
      if (provenRecipe === undefined) expect(await varveErrorFrom(run)).toMatchObject({ code: 'CORRUPT' })
      else await run
    }
    expectLargeFile('f')
  })

  test('puts no file in place of which a part is missing, or more is there than belongs', async () => {
    const file = { ...largeFile('f'), index: 7, path: at('f'), label: 'f', ...UNPLACED }
    const temporary = createTemporary(file)
    const [first, ...others] = partsInto(temporary).map((part): MaterialiseJob => ({ type: 'part', part }))
    const finish: MaterialiseJob = { type: 'finish', file, temporary }
    expect(await varveErrorFrom(runTask([...others, finish]))).toMatchObject({ code: 'CORRUPT' })
    appendFileSync(temporary, 'x')
    expect(await varveErrorFrom(runTask([first!, finish]))).toMatchObject({ code: 'CORRUPT' })
    expect(existsSync(at('f'))).toBe(false)
  })

  test.skipIf(!existsSync('/dev/full'))('tells of a full disk, and which file it was', async () => {
    const [part] = partsInto('/dev/full')
    expect(await varveErrorFrom(runTask([{ type: 'part', part: part! }]))).toMatchObject({
      code: 'NO_SPACE',
      message: 'no space left while writing f',
    })
  })

  test('tells of a temporary file that is gone', async () => {
    const [part] = partsInto(at('gone'))
    expect(await varveErrorFrom(runTask([{ type: 'part', part: part! }]))).toMatchObject({
      code: 'NOT_FOUND',
      message: 'no such file while writing f',
    })
  })

  test('has no more open than before, whether it works or fails', async () => {
    const [part] = partsInto(createTemporary({ path: at('f'), label: 'f', executable: false }))
    const opened = () => {
      const fd = openSync(root, 'r')
      closeSync(fd)
      return fd
    }
    const before = opened()
    await runTask([{ type: 'part', part: part! }])
    await runTask([{ type: 'part', part: { ...part!, lengthBytes: 1 } }]).catch(() => {})
    expect(opened()).toBe(before)
  })
})
