import { describe, expect, it } from 'vitest'
import { contentIdOf } from '../../../core/content-id.ts'
import type { Pointer } from '../../../core/format/pointer.ts'
import { meaningOf } from '../../../core/operations/select-tracked.ts'

const id = contentIdOf(new Uint8Array())
const directory: Pointer = { kind: 'dir', id, sizeBytes: 0, files: 0, extra: '' }
const file: Pointer = { kind: 'file', id, sizeBytes: 0, extra: '' }

describe('what a path or pattern means of a tracked path', () => {
  it.each([
    ['', 'whole', 'whole'],
    ['data', 'whole', 'whole'],
    ['data/a(1)', 'whole', 'whole'],
    ['data/*', 'whole', 'whole'],
    ['data/a(1)/x', { pattern: 'data/a\\(1\\)/x' }, 'none'],
    ['data/a(1)/*.csv', { pattern: 'data/a\\(1\\)/*.csv' }, 'none'],
    ['data/*.csv', { pattern: 'data/*.csv' }, 'none'],
    ['data/b', 'none', 'none'],
    ['other/*', 'none', 'none'],
  ])('%j', (wanted, ofDirectory, ofFile) => {
    expect(meaningOf(wanted, { path: 'data/a(1)', pointer: directory })).toEqual(ofDirectory)
    expect(meaningOf(wanted, { path: 'data/a(1)', pointer: file })).toEqual(ofFile)
    // What cannot be read may be a directory.
    expect(meaningOf(wanted, { path: 'data/a(1)' })).toEqual(ofDirectory)
  })
})
