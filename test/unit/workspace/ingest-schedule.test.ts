import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DIGEST_BYTES, digestOf, hexOf } from '../../../core/content-id.ts'
import { RecipeBuilder } from '../../../core/format/recipe.ts'
import type { FileStamp } from '../../../core/workspace/file-stamp.ts'
import { type IngestEvents, IngestSchedule } from '../../../core/workspace/ingest-schedule.ts'
import type { IngestJob, IngestResult } from '../../../core/workspace/ingest-task.ts'
import { WINDOW_BYTES } from '../../../core/workspace/large-file-cutter.ts'
import { type PackedFiles, packReadFiles, unpackFiles } from '../../../core/workspace/read-file.ts'
import { type IndexedFile, toIngest } from '../../support/ingest-files.ts'
import { runSteps } from '../../support/run-steps.ts'
import { varveErrorFrom } from '../../support/varve-error.ts'

/** What a file is to the threads of a test: they read nothing. */
type Model = {
  /** Of a large file: the chunks of each window. Of a small one: undefined. */
  windows: number[] | undefined
  /** The attempts at a large file that end as changed, after this many windows. */
  changesAfter?: number
  changes?: number
  /** A small file that turns out to be large. */
  grows?: boolean
}

const CHUNK_BYTES = 10

function stampOfSize(sizeBytes: number): FileStamp {
  return { sizeBytes, mtimeMs: 1, ctimeMs: 2, inode: 3, mode: 0o100644 }
}

function chunkDigest(...path: number[]): Buffer {
  return digestOf(Buffer.from(path.join('.')))
}

/** A thread as `ingestTask` is one, that cuts models. Each buffer is its own from when it is given until it is back. */
class ModelThread {
  readonly #models: readonly Model[]
  readonly #attempts: Map<number, number>
  readonly #held: Set<ArrayBuffer>
  #windowsDone = 0

  constructor(models: readonly Model[], attempts: Map<number, number>, held: Set<ArrayBuffer>) {
    this.#models = models
    this.#attempts = attempts
    this.#held = held
  }

  do(job: IngestJob): IngestResult {
    switch (job.type) {
      case 'files':
        return this.#takeFiles(job.files)
      case 'cut':
        return this.#cut(job)
      case 'window': {
        const [index, attempt, sequence] = new Uint32Array(job.buffer, 0, 3)
        const digests = job.lengths.map((_, i) => chunkDigest(index!, attempt!, sequence!, i))
        expect(this.#held.delete(job.buffer)).toBe(true)
        return { type: 'window', window: job.window, digests: Buffer.concat(digests), buffer: job.buffer }
      }
    }
  }

  #takeFiles(files: PackedFiles): IngestResult {
    const read = unpackFiles(files).map(({ path, stamp }, place) => ({ index: indexOf(path), stamp, place }))
    const grows = ({ index }: { index: number }) => this.#models[index]!.grows === true
    const done = read.filter((file) => !grows(file))
    return {
      type: 'files',
      done: packReadFiles(done.map((file) => ({ ...file, digest: chunkDigest(file.index) }))),
      grown: read.filter(grows).map(({ place }) => place),
    }
  }

  #cut({ file, isFirst, buffer }: IngestJob & { type: 'cut' }): IngestResult {
    const index = indexOf(file.path)
    expect(this.#held.has(buffer), 'a buffer is given to one job at a time').toBe(false)
    if (isFirst) {
      this.#windowsDone = 0
      this.#attempts.set(index, (this.#attempts.get(index) ?? 0) + 1)
    }
    const attempt = this.#attempts.get(index)!
    const { windows, changes = 0, changesAfter = 0 } = this.#models[index]!
    if (attempt <= changes && this.#windowsDone >= Math.min(changesAfter, windows!.length - 1)) {
      return { type: 'cut', cut: { lengths: [1, 2], end: 'changed' }, buffer }
    }
    const sequence = this.#windowsDone++
    new Uint32Array(buffer, 0, 3).set([index, attempt, sequence])
    this.#held.add(buffer)
    const lengths = Array<number>(windows![sequence]!).fill(CHUNK_BYTES)
    const isLast = this.#windowsDone === windows!.length
    const end = isLast ? { digest: chunkDigest(index, attempt), stamp: stampOfSize(index) } : undefined
    return { type: 'cut', cut: { lengths, end }, buffer }
  }
}

function indexOf(path: string): number {
  return Number(path.slice(1))
}

function listFiles(models: readonly Model[]): IndexedFile[] {
  return models.map(({ windows, grows }, index) => ({
    index,
    path: `f${index}`,
    stamp: stampOfSize(windows === undefined || grows ? 100 : WINDOW_BYTES + windows.length),
  }))
}

/** Runs a schedule with threads that take jobs and bring results in the order that `choices` say. */
async function runSchedule(models: readonly Model[], threads: number, choices: Iterable<number>) {
  const files = listFiles(models)
  const attempts = new Map<number, number>()
  const held = new Set<ArrayBuffer>()
  const seen = {
    files: new Map<number, string>(),
    recipes: new Map<string, string>(),
    nodes: new Set<string>(),
    bytes: 0,
    mostHeld: 0,
  }
  const schedule = new IngestSchedule<IndexedFile>({
    threads,
    events: {
      onFile({ index }, { digest }) {
        expect(seen.files.has(index), 'a file is finished once').toBe(false)
        seen.files.set(index, hexOf(digest))
      },
      onNode: (digest) => seen.nodes.add(hexOf(digest)),
      onRecipe: (blob, { rootNode }) => {
        expect(seen.nodes).toContain(hexOf(rootNode))
        seen.recipes.set(hexOf(blob), hexOf(rootNode))
      },
      onBytes: (count) => {
        seen.bytes += count
      },
    },
  })
  const readers = Math.max(1, threads)
  await runSteps(readers + 1, choices, async (thread, pause) => {
    if (thread === readers) {
      for (const file of files) {
        await pause()
        schedule.add(toIngest([file]))
      }
      await pause()
      schedule.end()
      return
    }
    const model = new ModelThread(models, attempts, held)
    let result: IngestResult | undefined
    await pause()
    for (;;) {
      const job = await schedule.next(thread, result)
      if (job === undefined) break
      await pause()
      result = model.do(job)
      seen.mostHeld = Math.max(seen.mostHeld, held.size)
      await pause()
    }
    expect(seen.files.size, 'a thread is sent home when all is done').toBe(models.length)
  })
  expect(held.size).toBe(0)
  return seen
}

/** Of the attempt that counted. */
function recipeOf(model: Model, index: number): string {
  const attempt = (model.changes ?? 0) + 1
  const builder = new RecipeBuilder(() => {})
  for (const [sequence, chunks] of model.windows!.entries()) {
    for (let i = 0; i < chunks; i++) builder.push(chunkDigest(index, attempt, sequence, i), CHUNK_BYTES)
  }
  return hexOf(builder.finish().rootNode)
}

const aSmall = fc.constant<Model>({ windows: undefined })
const aWindow = fc.oneof({ weight: 9, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.constant(300) })
const aLarge = fc.record<Model>({
  windows: fc.array(aWindow, { minLength: 1, maxLength: 8 }).map(
    // Only the last window can have no chunk.
    (windows) => windows.map((chunks, i) => (i < windows.length - 1 ? Math.max(1, chunks) : chunks)),
  ),
  changes: fc.nat(1),
  changesAfter: fc.nat(8),
  grows: fc.boolean(),
})
const choices = fc.array(fc.nat(1000), { minLength: 50, maxLength: 50 })

describe('IngestSchedule, whatever the threads do when', () => {
  test('finishes every file once, with its recipe in order, and sends threads home at the end', async () => {
    const files = fc.array(fc.oneof(aSmall, aLarge), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(files, fc.integer({ min: 0, max: 4 }), choices, async (models, threads, order) => {
        const seen = await runSchedule(models, threads, order)
        for (const [index, model] of models.entries()) {
          const { windows, changes = 0 } = model
          const digest = windows === undefined ? chunkDigest(index) : chunkDigest(index, changes + 1)
          expect(seen.files.get(index)).toBe(hexOf(digest))
          const chunks = (windows ?? []).reduce((sum, count) => sum + count, 0)
          const recipe = chunks > 1 ? recipeOf(model, index) : undefined
          expect(seen.recipes.get(hexOf(digest))).toBe(recipe)
        }
        // A cut window waits in its buffer, or is being written: no more than two wait.
        expect(seen.mostHeld).toBeLessThanOrEqual(Math.max(1, threads) + 2)
      }),
      { numRuns: 60 },
    )
  })

  test('counts the bytes of all files', async () => {
    const models: Model[] = [{ windows: [3, 2] }, { windows: undefined }, { windows: [1] }]
    const { bytes } = await runSchedule(models, 2, [5, 2, 7, 1, 4])
    expect(bytes).toBe(6 * CHUNK_BYTES + 100)
  })

  test('has every thread at work on one large file', async () => {
    const models: Model[] = [{ windows: Array(30).fill(3) }]
    const workers = new Set<number>()
    const files = listFiles(models)
    const schedule = scheduleOf(files, 3)
    const attempts = new Map<number, number>()
    const held = new Set<ArrayBuffer>()
    await runSteps(3, [], async (thread, pause) => {
      const model = new ModelThread(models, attempts, held)
      let result: IngestResult | undefined
      for (;;) {
        const job = await schedule.next(thread, result)
        if (job === undefined) return
        await pause()
        result = model.do(job)
        if (job.type === 'window') workers.add(thread)
      }
    })
    expect(workers.size).toBe(3)
  })
})

/** Of files that are all there. */
function scheduleOf(
  files: readonly IndexedFile[],
  threads: number,
  events: Partial<IngestEvents<IndexedFile>> = {},
): IngestSchedule<IndexedFile> {
  const none = { onFile() {}, onNode() {}, onRecipe() {}, onBytes() {} }
  const schedule = new IngestSchedule<IndexedFile>({ threads, events: { ...none, ...events } })
  schedule.add(toIngest(files))
  schedule.end()
  return schedule
}

test('a file that changes twice is refused by name', async () => {
  const models: Model[] = [{ windows: undefined }, { windows: [5, 5], changes: 2, changesAfter: 1 }]
  expect(await varveErrorFrom(runSchedule(models, 0, []))).toMatchObject({
    code: 'CHANGED_WHILE_READING',
    message: expect.stringContaining('f1 changed'),
  })
})

test('the longest of the large files is begun first, and small ones are asked for when their turn comes', async () => {
  const large = [2, 9, 5].map((more, index) => ({
    index,
    path: `f${index}`,
    stamp: stampOfSize(WINDOW_BYTES + more),
  }))
  let asked = 0
  function* small(): Generator<IndexedFile> {
    for (; asked < 5000; ) yield { index: 3 + asked, path: `s${asked++}`, stamp: stampOfSize(1) }
  }
  const schedule = scheduleOf(large, 4)
  schedule.add({ small: small(), large: [] })
  const jobs = await Promise.all([0, 1, 2, 3].map((thread) => schedule.next(thread, undefined)))
  expect(jobs.map((job) => (job?.type === 'cut' ? job.file.path : job?.type))).toEqual([
    'f1',
    'f2',
    'f0',
    'files',
  ])
  expect(asked).toBe(512)
})

test('what a window gives goes into the recipe by its place, not by when it is done', async () => {
  const [file] = listFiles([{ windows: [1, 1] }])
  const recipes: string[] = []
  const schedule = scheduleOf([file!], 2, {
    onRecipe: (_, { rootNode }) => recipes.push(hexOf(rootNode)),
  })
  const end = { digest: Buffer.alloc(DIGEST_BYTES, 9), stamp: stampOfSize(2) }
  await schedule.next(0, undefined)
  const buffer = new ArrayBuffer(0)
  await schedule.next(0, { type: 'cut', cut: { lengths: [1], end: undefined }, buffer })
  const windowOf = (job: IngestJob | undefined) => (job?.type === 'window' ? job.window : expect.fail('none'))
  const first = windowOf(await schedule.next(0, { type: 'cut', cut: { lengths: [1], end }, buffer }))
  const second = windowOf(await schedule.next(1, undefined))
  const waiting = schedule.next(1, { type: 'window', window: second, digests: Buffer.alloc(32, 2), buffer })
  expect(recipes).toEqual([])
  expect(
    await schedule.next(0, { type: 'window', window: first, digests: Buffer.alloc(32, 1), buffer }),
  ).toBe(undefined)
  expect(await waiting).toBeUndefined()
  const builder = new RecipeBuilder(() => {})
  for (const byte of [1, 2]) builder.push(Buffer.alloc(32, byte), 1)
  expect(recipes).toEqual([hexOf(builder.finish().rootNode)])
})
