import { appendFileSync, lstatSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createCandidateFinder } from '../../../core/chunking/create-candidate-finder.ts'
import { chunkLengths } from '../../../core/chunking/rot256.ts'
import { digestOf, EMPTY_DIGEST, hexOf } from '../../../core/content-id.ts'
import { stampOf } from '../../../core/workspace/file-stamp.ts'
import {
  LargeFileCutter,
  WINDOW_BUFFER_BYTES,
  WINDOW_BYTES,
} from '../../../core/workspace/large-file-cutter.ts'
import { noise } from '../../support/build-store.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'

const NOISE = noise(2 * WINDOW_BYTES + 1, 1)

function openCutter(content: Uint8Array) {
  const root = makeTemporaryFolder()
  const path = join(root, 'f')
  writeFileSync(path, content)
  const file = { index: 0, path: 'f', stamp: stampOf(lstatSync(path)) }
  return { path, cutter: new LargeFileCutter(root, file, createCandidateFinder()) }
}

/** Cuts to the end, with `between` called after each window but the last. */
function cutAll(content: Uint8Array, between: (path: string) => void = () => {}) {
  const { path, cutter } = openCutter(content)
  const pieces: Buffer[] = []
  const lengths: number[] = []
  try {
    for (let windows = 1; ; windows++) {
      // What is left in it from the window before must make no difference.
      const buffer = Buffer.alloc(WINDOW_BUFFER_BYTES, 0xa5)
      const window = cutter.cut(buffer)
      lengths.push(...window.lengths)
      pieces.push(buffer.subarray(0, sum(window.lengths)))
      if (window.end !== undefined) {
        return { windows, lengths, bytes: Buffer.concat(pieces), end: window.end, path }
      }
      between(path)
    }
  } finally {
    cutter.close()
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}

describe('a file cut window by window', () => {
  test.each([
    ['one below a window', WINDOW_BYTES - 1, 1],
    ['a window', WINDOW_BYTES, 2],
    ['one above a window', WINDOW_BYTES + 1, 2],
    ['one below two windows', 2 * WINDOW_BYTES - 1, 2],
    ['two windows', 2 * WINDOW_BYTES, 3],
    ['one above two windows', 2 * WINDOW_BYTES + 1, 3],
    ['one byte', 1, 1],
    ['two chunks', 300_000, 1],
  ])('has the chunks and the id of the whole: %s', (_, sizeBytes, windows) => {
    const content = NOISE.subarray(0, sizeBytes)
    const cut = cutAll(content)
    expect(cut.windows).toBe(windows)
    expect(cut.lengths).toEqual(chunkLengths(content))
    expect(cut.bytes.equals(content)).toBe(true)
    expect(cut.end).toEqual({ digest: digestOf(content), stamp: stampOf(lstatSync(cut.path)) })
  })

  test('ends with a window of nothing where the last chunk ends with the one before', () => {
    // A run of one byte is cut at the most that a chunk can be, of which a window is a multiple.
    const content = Buffer.alloc(WINDOW_BYTES, 7)
    const cut = cutAll(content)
    expect([cut.windows, cut.lengths]).toEqual([2, chunkLengths(content)])
    expect(cut.end).toMatchObject({ digest: digestOf(content) })
  })

  test('is one empty chunk when it was emptied before it was opened', () => {
    const cut = cutAll(Buffer.alloc(0))
    expect(cut.lengths).toEqual([0])
    if (cut.end === 'changed') throw new Error('nothing changed')
    expect(hexOf(cut.end.digest)).toBe(hexOf(EMPTY_DIGEST))
  })
})

describe('a file that changes while it is cut', () => {
  test.each([
    ['grows', (path: string) => appendFileSync(path, 'x')],
    ['is emptied', (path: string) => truncateSync(path)],
    ['shrinks to what was read', (path: string) => truncateSync(path, WINDOW_BYTES)],
  ])('is told at its end: it %s', (_, change) => {
    expect(cutAll(NOISE.subarray(0, WINDOW_BYTES + 5), change).end).toBe('changed')
  })
})
