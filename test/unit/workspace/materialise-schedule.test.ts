import { existsSync, mkdtempSync, readdirSync, rmSync, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Digest, digestOf } from '../../../core/content-id.ts'
import type { EntryKind } from '../../../core/format/pack.ts'
import { encodeNode, encodeRecipeRoot, type RecipeRoot } from '../../../core/format/recipe.ts'
import { PackWriter } from '../../../core/store/pack-writer.ts'
import { Store } from '../../../core/store/store.ts'
import { StoreWriter } from '../../../core/store/store-writer.ts'
import { MaterialiseSchedule } from '../../../core/workspace/materialise-schedule.ts'
import type {
  FileToMaterialise,
  MaterialiseJob,
  MaterialiseResult,
} from '../../../core/workspace/materialise-task.ts'
import { addLargeBlob, type LargeBlob } from '../../support/large-blob.ts'
import { runSteps } from '../../support/run-steps.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { varveErrorFrom } from '../../support/varve-error.ts'

const STAMP = { sizeBytes: 0, mtimeMs: 0, ctimeMs: 0, inode: 0, mode: 0 }

let folder: string
let store: Store
let blob: LargeBlob

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'varve-test-'))
  blob = addLargeBlob(join(folder, 'store'))
  store = Store.open(join(folder, 'store'))
})

afterAll(() => {
  store.close()
  rmSync(folder, { recursive: true, force: true })
})

function fileAt(target: string, index: number, change: Partial<FileToMaterialise> = {}): FileToMaterialise {
  return {
    ...{ index, path: join(target, `f${index}`), label: `f${index}` },
    ...{ digest: blob.digest, sizeBytes: blob.sizeBytes, executable: false },
    ...{ replaces: undefined, location: undefined, provenRecipe: undefined },
    ...change,
  }
}

/** Small files and large ones, in an order of their own. */
function listFiles(target: string, areLarge: readonly boolean[]): FileToMaterialise[] {
  return areLarge.map((isLarge, index) => fileAt(target, index, isLarge ? {} : { sizeBytes: 9 << 20 }))
}

/** Does no more of a job than what the others can see of it. */
function pretend(job: MaterialiseJob): MaterialiseResult {
  if (job.type === 'part') return { type: 'part', index: job.part.index, bytes: job.part.lengthBytes }
  if (job.type === 'finish') unlinkSync(job.temporary)
  const files = job.type === 'finish' ? [job.file] : job.files
  return { type: 'files', done: files.map(({ index }) => ({ index, stamp: STAMP })) }
}

async function runSchedule(files: readonly FileToMaterialise[], threads: number, choices: Iterable<number>) {
  const finished: number[] = []
  const writtenBytes = new Map<number, number>()
  let bytes = 0
  const schedule = new MaterialiseSchedule({
    ...{ store, files },
    onFile: ({ index }) => finished.push(index),
    onBytes: (count) => {
      bytes += count
    },
  })
  const take = (job: MaterialiseJob): MaterialiseResult => {
    if (job.type === 'part') {
      expect(existsSync(job.part.temporary)).toBe(true)
      const before = writtenBytes.get(job.part.index) ?? 0
      writtenBytes.set(job.part.index, before + job.part.lengthBytes)
    } else if (job.type === 'finish') {
      expect(writtenBytes.get(job.file.index), 'all parts are written before').toBe(blob.sizeBytes)
    }
    return pretend(job)
  }
  await runSteps(threads, choices, async (thread, pause) => {
    let result: MaterialiseResult | undefined
    await pause()
    for (;;) {
      const job = await schedule.next(thread, result)
      if (job === undefined) break
      await pause()
      result = take(job)
      await pause()
    }
    expect(finished, 'a thread is sent home when all is done').toHaveLength(files.length)
  })
  schedule.discard()
  return { finished, bytes }
}

describe('MaterialiseSchedule, whatever the threads do when', () => {
  test('finishes every file once, all parts first, counts all bytes, and sends threads home at the end', async () => {
    const target = makeTemporaryFolder()
    const threads = fc.integer({ min: 1, max: 4 })
    const choices = fc.array(fc.nat(1000), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.boolean(), { maxLength: 6 }),
        threads,
        choices,
        async (large, n, order) => {
          const files = listFiles(target, large)
          const { finished, bytes } = await runSchedule(files, n, order)
          expect(finished.toSorted()).toEqual(files.map(({ index }) => index))
          expect(bytes).toBe(files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))
          expect(readdirSync(target)).toEqual([])
        },
      ),
      { numRuns: 100 },
    )
  })

  test.each([1, 2])('finishes a last file of one part (%i threads)', async (threads) => {
    const target = makeTemporaryFolder()
    const node = encodeNode(0, [{ digest: digestOf(Buffer.from('chunk')), lengthBytes: 40 << 20 }])
    plant('node', digestOf(node), node)
    const digest = digestOf(Buffer.from('a blob of one part'))
    plantRecipe(digest, { rootNode: digestOf(node), lengthBytes: 40 << 20 })
    const [only] = [fileAt(target, 0, { digest, sizeBytes: 40 << 20 })]
    const schedule = scheduleOf([only!])
    const types: string[] = []
    await runSteps(threads, [], async (thread, pause) => {
      let result: MaterialiseResult | undefined
      for (let job = await schedule.next(thread, result); job; job = await schedule.next(thread, result)) {
        types.push(job.type)
        await pause()
        result = pretend(job)
      }
    })
    expect(types).toEqual(['part', 'finish'])
  })
})

test('gives each thread a file of its own, and then helps the slower one', async () => {
  const target = makeTemporaryFolder()
  const schedule = scheduleOf(listFiles(target, [true, true]))
  const parts: number[][] = [[], []]
  const take = async (thread: number, result?: MaterialiseResult) => {
    const job = await schedule.next(thread, result)
    if (job?.type === 'part') parts[thread]!.push(job.part.index)
    return job && pretend(job)
  }
  let mine = await take(0)
  await take(1)
  for (let i = 0; i < 6; i++) mine = await take(0, mine)
  expect(parts).toEqual([[0, 0, 0, 0, 0, 1], [1]])
  schedule.discard()
})

function scheduleOf(files: readonly FileToMaterialise[]): MaterialiseSchedule {
  return new MaterialiseSchedule({ store, files, onFile() {}, onBytes() {} })
}

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

test('gives the parts of a large file in order, end to end, and small files after them', async () => {
  const target = makeTemporaryFolder()
  const schedule = scheduleOf(listFiles(target, [false, true]))
  const jobs: MaterialiseJob[] = []
  for (let i = 0; i < 6; i++) jobs.push((await schedule.next(0, undefined))!)
  const parts = jobs.flatMap((job) => (job.type === 'part' ? job.part : []))
  expect(parts.map(({ start }) => start)).toEqual([0, 8, 16, 24, 32].map((mib) => mib << 20))
  expect(parts.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0)).toBe(blob.sizeBytes)
  expect(new Set(parts.map(({ temporary }) => temporary)).size).toBe(1)
  expect(jobs[5]).toMatchObject({ type: 'files', files: [{ index: 0 }] })
  schedule.discard()
})

test('removes what was begun when it is discarded, even what is gone already', async () => {
  const target = makeTemporaryFolder()
  const schedule = scheduleOf(listFiles(target, [true, true]))
  for (let i = 0; i < 6; i++) await schedule.next(0, undefined)
  const temporaries = readdirSync(target)
  expect(temporaries).toHaveLength(2)
  unlinkSync(join(target, temporaries[0]!))
  schedule.discard()
  expect(readdirSync(target)).toEqual([])
})

test('keeps a file open no longer than until it is in its place', async () => {
  const target = makeTemporaryFolder()
  const schedule = scheduleOf(listFiles(target, [true]))
  let result: MaterialiseResult | undefined
  let finish: MaterialiseJob | undefined
  while (finish?.type !== 'finish') {
    finish = await schedule.next(0, result)
    if (finish?.type !== 'finish') result = pretend(finish!)
  }
  expect(await schedule.next(0, { type: 'files', done: [{ index: 0, stamp: STAMP }] })).toBeUndefined()
  schedule.discard()
  expect(existsSync(finish.temporary)).toBe(true)
})

describe('a recipe that lies is refused by the name of its file', () => {
  test.each([
    ['of a length other than the file has', 'CORRUPT', () => blob.root, 40 << 20],
    [
      'of a length other than its nodes have',
      'MALFORMED',
      () => ({ ...blob.root, lengthBytes: 40 << 20 }),
      40 << 20,
    ],
    [
      'of nodes that are not there',
      'MISSING_BYTES',
      () => ({ rootNode: digestOf(Buffer.from('?')), lengthBytes: 40 << 20 }),
      40 << 20,
    ],
  ] as [string, string, () => RecipeRoot, number][])('%s', async (what, code, recipe, sizeBytes) => {
    const target = makeTemporaryFolder()
    const digest = digestOf(Buffer.from(what))
    plantRecipe(digest, recipe())
    const schedule = scheduleOf([fileAt(target, 3, { digest, sizeBytes })])
    const error = await varveErrorFrom(schedule.next(0, undefined))
    expect([error.code, error.message.slice(0, 3)]).toEqual([code, 'f3:'])
    schedule.discard()
    expect(readdirSync(target)).toEqual([])
  })
})

test('a file whose folder is gone is refused by its name', async () => {
  const schedule = scheduleOf([fileAt(join(makeTemporaryFolder(), 'gone'), 0)])
  expect(await varveErrorFrom(schedule.next(0, undefined))).toMatchObject({
    code: 'NOT_FOUND',
    message: 'no such file while writing f0',
  })
  schedule.discard()
})
