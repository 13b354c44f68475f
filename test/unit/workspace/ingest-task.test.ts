import { lstatSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { chunkLengths } from '../../../core/chunking/rot256.ts'
import { digestOf } from '../../../core/content-id.ts'
import { Store } from '../../../core/store/store.ts'
import { stampOf } from '../../../core/workspace/file-stamp.ts'
import { type IngestAnswer, type IngestQuestion, ingestTask } from '../../../core/workspace/ingest-task.ts'
import { WINDOW_BUFFER_BYTES } from '../../../core/workspace/large-file-cutter.ts'
import { packFiles, unpackReadFiles } from '../../../core/workspace/read-file.ts'
import { noise } from '../../support/build-store.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'

const CONTENT = noise(400_000, 11)

/** Runs the task on `jobs`, one after the other; gives all that it asked. Of chunks those are new that `isNew` says. */
async function runTask(jobs: IngestAnswer[], root: string, isNew: (chunk: number) => boolean = () => true) {
  const storeRoot = join(makeTemporaryFolder(), 'store')
  Store.open(storeRoot).close()
  const asked: IngestQuestion[] = []
  let chunks = 0
  await ingestTask.run({ root, storeRoot }, async (question) => {
    asked.push(question)
    if (question.type === 'next') return jobs.shift()
    if (question.type !== 'claim') return undefined
    return Uint8Array.from({ length: question.digests.length / 32 }, () => (isNew(chunks++) ? 1 : 0))
  })
  const results = asked.flatMap((question) => (question.type === 'next' && question.result) || [])
  const sealed = asked.flatMap((question) => (question.type === 'sealed' ? question.pack : []))
  return { types: asked.map(({ type }) => type), asked, results, sealed }
}

function makeFile(content: Uint8Array, name = 'f') {
  const root = makeTemporaryFolder()
  writeFileSync(join(root, name), content)
  return { root, file: { path: name, stamp: stampOf(lstatSync(join(root, name))) } }
}

const lengths = chunkLengths(CONTENT)
const chunkDigests = lengths.map((length, i) => {
  const start = lengths.slice(0, i).reduce((sum, one) => sum + one, 0)
  return digestOf(CONTENT.subarray(start, start + length))
})

describe('the task', () => {
  test('of small files tells their recipes, claims their chunks, and then that they are done', async () => {
    const { root, file } = makeFile(CONTENT)
    const { types, asked, results, sealed } = await runTask(
      [{ type: 'files', files: packFiles([file]) }],
      root,
    )
    expect(types).toEqual(['next', 'recipe', 'claim', 'next', 'sealed'])
    expect(asked[1]).toMatchObject({ blob: digestOf(CONTENT), root: { lengthBytes: CONTENT.length } })
    const claimed = asked.flatMap((question) => (question.type === 'claim' ? [...question.digests] : []))
    expect(claimed).toEqual([...Buffer.concat(chunkDigests)])
    const [result] = results
    if (result?.type !== 'files') throw new Error('no files')
    expect([...unpackReadFiles(result.done)]).toEqual([
      { place: 0, digest: new Uint8Array(digestOf(CONTENT)), stamp: file.stamp },
    ])
    expect(result.grown).toEqual([])
    expect(sealed).toHaveLength(1)
  })

  test('writes the chunks that are new and no others, and no pack where none is', async () => {
    const { root, file } = makeFile(CONTENT)
    const some = await runTask([{ type: 'files', files: packFiles([file]) }], root, (chunk) => chunk === 1)
    const bytes = some.sealed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    expect(bytes).toBeGreaterThan(lengths[1]!)
    expect(bytes).toBeLessThan(lengths[1]! + 1000)
    const none = await runTask([{ type: 'files', files: packFiles([file]) }], root, () => false)
    expect(none.sealed).toEqual([])
  })

  test('cuts a window into the buffer that it was given, which any other can then write', async () => {
    const { root, file } = makeFile(CONTENT)
    const buffer = new ArrayBuffer(WINDOW_BUFFER_BYTES)
    const cutting = await runTask([{ type: 'cut', file, isFirst: true, buffer }], root)
    expect(cutting.types).toEqual(['next', 'next'])
    expect(cutting.results).toEqual([
      { type: 'cut', cut: { lengths, end: { digest: digestOf(CONTENT), stamp: file.stamp } }, buffer },
    ])
    expect(Buffer.from(buffer, 0, CONTENT.length).equals(CONTENT)).toBe(true)
    const writing = await runTask([{ type: 'window', window: 7, buffer, lengths }], makeTemporaryFolder())
    expect(writing.types).toEqual(['next', 'claim', 'next', 'sealed'])
    expect(writing.results).toEqual([
      { type: 'window', window: 7, digests: new Uint8Array(Buffer.concat(chunkDigests)), buffer },
    ])
  })

  test('begins a file anew where the one before was not cut to its end', async () => {
    const { root, file } = makeFile(CONTENT)
    const large = Buffer.alloc(9 << 20)
    writeFileSync(join(root, 'large'), large)
    const other = { index: 5, path: 'large', stamp: stampOf(lstatSync(join(root, 'large'))) }
    const buffer = new ArrayBuffer(WINDOW_BUFFER_BYTES)
    const jobs = [other, file].map((one) => ({ type: 'cut' as const, file: one, isFirst: true, buffer }))
    const { results } = await runTask(jobs, root)
    expect(results).toMatchObject([
      { cut: { end: undefined } },
      { cut: { lengths, end: { digest: digestOf(CONTENT) } } },
    ])
  })
})
