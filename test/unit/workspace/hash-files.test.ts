import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { digestOf, hexOf } from '../../../core/content-id.ts'
import type { ProgressEvent } from '../../../core/progress.ts'
import { createWorkers, type Workers } from '../../../core/workers/workers.ts'
import { hashFiles } from '../../../core/workspace/hash-files.ts'
import { scanPath } from '../../../core/workspace/scan-path.ts'
import { noise } from '../../support/build-store.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { varveErrorFrom } from '../../support/varve-error.ts'

const script = new URL('../../../dist/worker.js', import.meta.url)

let workers: Workers | undefined
afterEach(() => workers?.close())

/** Files in a folder, and what hashing them gives by index. */
function makeFiles(contents: readonly Uint8Array[], threads = 0) {
  const root = makeTemporaryFolder()
  mkdirSync(join(root, 'd'))
  const files = contents.map((content, index) => {
    const path = `d/${index}`
    writeFileSync(join(root, path), content)
    const scanned = scanPath({ root, path })
    if (scanned?.kind !== 'file') throw new Error('not a file')
    return { index, path, stamp: scanned.stamp }
  })
  const digests = new Map<number, string>()
  const progress: ProgressEvent[] = []
  workers = createWorkers({ threads, script })
  const run = (signal?: AbortSignal) =>
    hashFiles({
      ...{ workers: workers!, root, files, signal },
      onFile: ({ index }, { digest }) => {
        expect(digests.has(index)).toBe(false)
        digests.set(index, hexOf(digest))
      },
      onProgress: (event) => progress.push(event),
    })
  return { root, files, digests, progress, run }
}

const MIB = 1 << 20

test.each([0, 2])(
  'hashes files of any size, each once, and counts to the totals (threads: %i)',
  async (n) => {
    const sizes = [0, 1, MIB - 1, MIB, MIB + 1, 2 * MIB, 2 * MIB + 1, ...Array(300).fill(100)]
    const contents = sizes.map((size, i) => noise(size, i + 1))
    const { digests, progress, run } = makeFiles(contents, n)
    await run()
    for (const [i, content] of contents.entries()) expect(digests.get(i)).toBe(hexOf(digestOf(content)))
    const bytesTotal = sizes.reduce((sum, size) => sum + size, 0)
    expect(progress.at(-1)).toEqual({
      phase: 'hashing',
      ...{ filesDone: sizes.length, filesTotal: sizes.length, bytesDone: bytesTotal, bytesTotal },
    })
  },
)

test('hashes what a file has now, not what was listed', async () => {
  const { root, digests, run } = makeFiles([Buffer.from('before')])
  appendFileSync(join(root, 'd/0'), ' and after')
  await run()
  expect(digests.get(0)).toBe(hexOf(digestOf(Buffer.from('before and after'))))
})

test('refuses what vanished', async () => {
  const { root, run } = makeFiles([Buffer.from('x'), Buffer.from('y')])
  rmSync(join(root, 'd/1'))
  const { code, message } = await varveErrorFrom(run())
  expect([code, message]).toEqual([
    'CHANGED_WHILE_READING',
    'd/1 changed or vanished while it was being read',
  ])
})

test('refuses what became a directory', async () => {
  const { root, run } = makeFiles([Buffer.from('x')])
  rmSync(join(root, 'd/0'))
  mkdirSync(join(root, 'd/0'))
  expect(await varveErrorFrom(run())).toMatchObject({
    code: 'CHANGED_WHILE_READING',
    message: expect.stringContaining('d/0'),
  })
})

test('stops where the user ends it, and does nothing for no files', async () => {
  const { digests, run } = makeFiles([Buffer.from('x')])
  expect(await varveErrorFrom(run(AbortSignal.abort()))).toMatchObject({ code: 'INTERRUPTED' })
  expect(digests.size).toBe(0)
  await makeFiles([]).run(AbortSignal.abort())
})
