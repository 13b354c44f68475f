import { appendFileSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { chunkLengths } from '../../../core/chunking/rot256.ts'
import { digestOf, EMPTY_DIGEST, hexOf } from '../../../core/content-id.ts'
import { RecipeBuilder } from '../../../core/format/recipe.ts'
import type { ProgressEvent } from '../../../core/progress.ts'
import { Store } from '../../../core/store/store.ts'
import { temporaryFolder } from '../../../core/store/store-layout.ts'
import { StoreWriter } from '../../../core/store/store-writer.ts'
import { createWorkers, type Workers } from '../../../core/workers/workers.ts'
import { FileIngest } from '../../../core/workspace/file-ingest.ts'
import type { IngestQuestion } from '../../../core/workspace/ingest-task.ts'
import type { ReadFile } from '../../../core/workspace/read-file.ts'
import { noise } from '../../support/build-store.ts'
import { type IndexedFile, ingestFiles, listNumbered, toIngest } from '../../support/ingest-files.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { varveErrorFrom } from '../../support/varve-error.ts'

const script = new URL('../../../dist/worker.js', import.meta.url)
const MIB = 1 << 20
const NOISE = noise(20 * MIB, 3)
/** Noise that begins elsewhere for each `place`. */
const part = (sizeBytes: number, place: number) => NOISE.subarray(place * 4099, place * 4099 + sizeBytes)

let workers: Workers | undefined
let store: Store | undefined
afterEach(async () => {
  store?.close()
  await workers?.close()
})

/** In this thread, with `watch` called before each question is answered. */
function watched(watch: (question: IngestQuestion) => void): Workers {
  const inner = createWorkers({ threads: 1 })
  return {
    ...inner,
    run: (task, input, answer, options) =>
      inner.run(
        task,
        input,
        (question, thread) => {
          watch(question as IngestQuestion)
          return answer(question, thread)
        },
        options,
      ),
  }
}

function listFiles(contents: readonly Uint8Array[]) {
  const root = makeTemporaryFolder()
  store = Store.open(join(makeTemporaryFolder(), 'store'))
  const writer = new StoreWriter(store)
  for (const [index, content] of contents.entries()) writeFileSync(join(root, `f${index}`), content)
  const files = listNumbered(root, contents.length)
  const read = new Map<number, ReadFile>()
  const progress: ProgressEvent[] = []
  const optionsFor = (by: Workers) => {
    workers = by
    return {
      ...{ workers: by, root, storeRoot: store!.root, writer },
      onFile({ index }: IndexedFile, file: ReadFile) {
        expect(read.has(index)).toBe(false)
        read.set(index, file)
      },
      onProgress: (event: ProgressEvent) => progress.push(event),
    }
  }
  const ingest = async (by: Workers) => {
    await ingestFiles(files, optionsFor(by))
    writer.finish()
  }
  return {
    ...{ root, files, writer, read, progress, optionsFor, ingest },
    path: (index: number) => join(root, `f${index}`),
  }
}

/** That the store has the content, cut as the chunker cuts it whole, under a recipe as the builder makes it. */
function expectStored(content: Uint8Array): void {
  const digest = digestOf(content)
  const lengths = content.length === 0 ? [0] : chunkLengths(content)
  const recipe = new RecipeBuilder(() => {})
  let start = 0
  for (const length of lengths) {
    const chunk = content.subarray(start, start + length)
    expect(store!.readEntry('chunk', digestOf(chunk)).equals(chunk)).toBe(true)
    if (lengths.length > 1) recipe.push(digestOf(chunk), length)
    start += length
  }
  expect([...store!.recipes(digest)]).toEqual(lengths.length > 1 ? [recipe.finish()] : [])
}

function expectIngested({ read }: ReturnType<typeof listFiles>, contents: readonly Uint8Array[]): void {
  expect([...read.keys()].sort((a, b) => a - b)).toEqual(contents.map((_, index) => index))
  for (const [index, content] of contents.entries()) {
    const { digest, stamp } = read.get(index)!
    expect([hexOf(digest), stamp.sizeBytes]).toEqual([hexOf(digestOf(content)), content.length])
    expectStored(content)
  }
}

describe('files of all sizes, small beside large', () => {
  const contents = [
    part(16 * MIB + 1, 1),
    part(8 * MIB, 2),
    Buffer.alloc(0),
    ...Array.from({ length: 30 }, (_, i) => part(i * 3000, 100 + i)),
    // The same twice, under way at once.
    part(9 * MIB, 4),
    part(9 * MIB, 4),
  ]

  test.each([
    ['this thread', () => createWorkers({ threads: 0 })],
    ['two runs in this thread', () => createWorkers({ threads: 2 })],
    ['two threads of the built program', () => createWorkers({ threads: 2, script })],
  ])('are stored as if each were cut whole, by %s', async (_, by) => {
    const listed = listFiles(contents)
    await listed.ingest(by())
    expectIngested(listed, contents)
    const bytesTotal = contents.reduce((sum, { length }) => sum + length, 0)
    expect(listed.progress.at(-1)).toEqual({
      ...{ phase: 'adding', filesDone: contents.length, filesTotal: contents.length },
      ...{ bytesDone: bytesTotal, bytesTotal },
    })
  })
})

/** Calls `change` after windows of large files are cut, with how many there were. */
function afterEachCut(change: (cuts: number) => void): Workers {
  let cuts = 0
  return watched((question) => {
    if (question.type === 'next' && question.result?.type === 'cut') change(++cuts)
  })
}

describe('a large file', () => {
  test('that changes while it is cut is read again', async () => {
    const content = part(9 * MIB, 0)
    const listed = listFiles([content])
    await listed.ingest(afterEachCut((cuts) => cuts === 1 && appendFileSync(listed.path(0), 'more')))
    expectIngested(listed, [Buffer.concat([content, Buffer.from('more')])])
  })

  test('that changes each time is refused, and nothing is left half-done', async () => {
    const listed = listFiles([part(9 * MIB, 0), Buffer.from('small')])
    const ingesting = listed.ingest(afterEachCut(() => appendFileSync(listed.path(0), 'more')))
    expect(await varveErrorFrom(ingesting)).toMatchObject({
      code: 'CHANGED_WHILE_READING',
      message: 'f0 changed or vanished while it was being read',
    })
    listed.writer.abort()
    expect(readdirSync(temporaryFolder(store!.root))).toEqual([])
  })

  test.each([
    ['before it is opened', 0],
    ['while it is cut', 1],
  ])('that is emptied %s is an empty file', async (_, when) => {
    const listed = listFiles([part(9 * MIB, 0)])
    if (when === 0) truncateSync(listed.path(0))
    await listed.ingest(afterEachCut((cuts) => cuts === when && truncateSync(listed.path(0))))
    expectIngested(listed, [Buffer.alloc(0)])
    expect(hexOf(listed.read.get(0)!.digest)).toBe(hexOf(EMPTY_DIGEST))
  })

  test('that shrinks to one chunk has no recipe', async () => {
    const listed = listFiles([part(9 * MIB, 0)])
    truncateSync(listed.path(0), 1000)
    await listed.ingest(createWorkers({ threads: 0 }))
    expectIngested(listed, [part(1000, 0)])
  })
})

describe('a small file', () => {
  test('that changed since it was listed is taken as it is now', async () => {
    const listed = listFiles([Buffer.from('before'), part(100_000, 1)])
    appendFileSync(listed.path(0), ' and after')
    truncateSync(listed.path(1), 50_000)
    await listed.ingest(createWorkers({ threads: 0 }))
    expectIngested(listed, [Buffer.from('before and after'), part(50_000, 1)])
  })

  test.each([0, 2])(
    'that has grown past what the small ones are read to is cut in windows (%i threads)',
    async (n) => {
      const contents = [Buffer.from('one'), part(7 * MIB, 1), Buffer.from('three'), Buffer.from('four')]
      const listed = listFiles(contents)
      const grown = [part(10 * MIB, 5), contents[1]!, part(2 * MIB, 6), contents[3]!]
      for (const index of [0, 2]) writeFileSync(listed.path(index), grown[index]!)
      await listed.ingest(createWorkers({ threads: n, script }))
      expectIngested(listed, grown)
    },
  )

  test.each([
    ['vanished', 'two', () => {}],
    ['became a directory', 'two', (path: string) => mkdirSync(path)],
    ['was large and is a directory now', part(9 * MIB, 0), (path: string) => mkdirSync(path)],
  ])('that %s is refused by name', async (_, content, change) => {
    const listed = listFiles([Buffer.from('one'), Buffer.from(content)])
    rmSync(listed.path(1))
    change(listed.path(1))
    expect(await varveErrorFrom(listed.ingest(createWorkers({ threads: 0 })))).toMatchObject({
      code: 'CHANGED_WHILE_READING',
      message: expect.stringContaining('f1'),
    })
  })
})

test.each([
  ['two runs in this thread', undefined],
  ['two threads of the built program', script],
])('a failure ends the run where others wait for work: %s', async (_, entry) => {
  // One batch, whose last file is gone: the other thread has nothing to do meanwhile.
  const listed = listFiles([part(5 * MIB, 0), Buffer.from('gone')])
  rmSync(listed.path(1))
  const by = createWorkers({ threads: 2, ...(entry && { script: entry }) })
  expect(await varveErrorFrom(listed.ingest(by))).toMatchObject({ code: 'CHANGED_WHILE_READING' })
  listed.writer.abort()
  expect(readdirSync(temporaryFolder(store!.root))).toEqual([])
})

describe('files that are found while others are read', () => {
  const contents = [
    ...Array.from({ length: 250 }, (_, i) => part(i * 50, i)),
    part(9 * MIB, 6),
    ...Array.from({ length: 20 }, (_, i) => part(i * 700, 300 + i)),
  ]

  test.each([
    ['two runs in this thread', undefined],
    ['two threads of the built program', script],
  ])('are read by threads that waited for them: %s', async (_, entry) => {
    const listed = listFiles(contents)
    const by = createWorkers({ threads: 2, ...(entry && { script: entry }) })
    const ingest = new FileIngest<IndexedFile>(listed.optionsFor(by))
    ingest.add(toIngest(listed.files.slice(0, 250)))
    while (listed.read.size < 250) await setTimeout(1)
    expect(ingest.isBusy).toBe(false)
    for (const file of listed.files.slice(250)) ingest.add(toIngest([file]))
    await ingest.finish()
    listed.writer.finish()
    expectIngested(listed, contents)
  })

  test('are read in this thread where they are few, once all are found', async () => {
    const listed = listFiles(contents.slice(0, 10))
    const ingest = new FileIngest<IndexedFile>(listed.optionsFor(createWorkers({ threads: 2, script })))
    for (const file of listed.files) ingest.add(toIngest([file]))
    await setTimeout(5)
    expect(listed.read.size).toBe(0)
    await ingest.finish()
    expect(listed.read.size).toBe(10)
  })

  test('may be none', async () => {
    const listed = listFiles([])
    await new FileIngest<IndexedFile>(listed.optionsFor(createWorkers({ threads: 2, script }))).finish()
    expect(listed.progress).toEqual([])
  })

  test('are not waited for once a file has failed', async () => {
    const listed = listFiles(contents)
    rmSync(listed.path(3))
    const ingest = new FileIngest<IndexedFile>(listed.optionsFor(createWorkers({ threads: 2, script })))
    const add = async () => {
      ingest.add(toIngest(listed.files))
      for (;;) {
        await setTimeout(1)
        ingest.add(toIngest([]))
      }
    }
    expect(await varveErrorFrom(add())).toMatchObject({ code: 'CHANGED_WHILE_READING' })
    await ingest.abandon(new Error('the search has failed too'))
    expect(await varveErrorFrom(ingest.finish())).toMatchObject({ code: 'CHANGED_WHILE_READING' })
  })

  test('are read no further when the search for them fails', async () => {
    const listed = listFiles([...contents, part(12 * MIB, 1), part(12 * MIB, 2)])
    const ingest = new FileIngest<IndexedFile>(listed.optionsFor(createWorkers({ threads: 2, script })))
    ingest.add(toIngest(listed.files))
    while (listed.progress.length === 0) await setTimeout(1)
    await ingest.abandon(new Error('the search has failed'))
    await expect(ingest.finish()).rejects.toThrow('the search has failed')
    expect(listed.read.size).toBeLessThan(listed.files.length)
    listed.writer.abort()
    expect(readdirSync(temporaryFolder(store!.root))).toEqual([])
  })
})
