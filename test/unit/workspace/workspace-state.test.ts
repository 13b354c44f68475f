import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type ContentId, digestFromContentId } from '../../../core/content-id.ts'
import type { Pointer } from '../../../core/format/pointer.ts'
import { WorkspaceState } from '../../../core/workspace/workspace-state.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'

const id = `b3:${'ab'.repeat(32)}` as ContentId
const directory: Pointer = { kind: 'dir', id, sizeBytes: 7, files: 2, extra: 'meta:\n  a: b\n' }

function makeState() {
  const path = join(makeTemporaryFolder(), 'sub/workspace.json')
  return { path, state: WorkspaceState.open(path), reopen: () => WorkspaceState.open(path) }
}

test('what was saved is known to the next process', () => {
  const { state, reopen } = makeState()
  state.remember('a/data', directory)
  state.remember('link', { kind: 'link', target: 'else where', sizeBytes: 0, extra: '' })
  state.want('a/data', ['a/data/x', 'a/data/**/*.png'])
  state.save()
  const digest = digestFromContentId(id)
  expect(reopen().versionOf('a/data')).toEqual({ kind: 'dir', name: 'data', sizeBytes: 7, digest })
  expect(reopen().versionOf('link')).toEqual({ kind: 'link', name: 'link', target: 'else where' })
  expect(reopen().versionOf('other')).toBeUndefined()
  expect(reopen().onlyOf('a/data')).toEqual(['a/data/x', 'a/data/**/*.png'])
})

test('a file that is missing, torn or of another program says nothing', () => {
  const { path, state, reopen } = makeState()
  expect(reopen().versionOf('data')).toBeUndefined()
  state.remember('data', directory)
  state.save()
  const whole = readFileSync(path, 'utf8')
  for (const text of [
    '',
    whole.slice(0, -5),
    '[]',
    '"x"',
    '{"versions":{"data":"b3:1"}}',
    '{"versions":{"data":{"kind":"dir"}}}',
  ]) {
    writeFileSync(path, text)
    expect(reopen().versionOf('data'), text).toBeUndefined()
    expect(reopen().isLeftOut('data', 'data/x'), text).toBe(false)
  }
})

test('of a part, the rest is left out until all is wanted', () => {
  const { state } = makeState()
  expect(state.isLeftOut('data', 'data/x')).toBe(false)
  state.want('data', ['data/sub'])
  expect(state.isLeftOut('data', 'data/x')).toBe(true)
  expect(state.isLeftOut('data', 'data/sub/y')).toBe(false)
  expect(state.isLeftOut('data2', 'data2/x')).toBe(false)
  state.want('data', ['data/x'])
  expect(state.onlyOf('data')).toEqual(['data/sub', 'data/x'])
  expect(state.isLeftOut('data', 'data/x')).toBe(false)
  state.wantAll('data')
  expect(state.onlyOf('data')).toBeUndefined()
  expect(state.isLeftOut('data', 'data/z')).toBe(false)
})

test('a renamed path keeps what is known of it, and what was known of the new name is gone', () => {
  const { state } = makeState()
  state.remember('old', directory)
  state.want('old', ['old/a', '**/*.png'])
  state.remember('new', { kind: 'link', target: 'x', sizeBytes: 0, extra: '' })
  state.rename('old', 'new')
  expect(state.versionOf('old')).toBeUndefined()
  expect(state.versionOf('new')).toMatchObject({ kind: 'dir', name: 'new' })
  expect(state.onlyOf('new')).toEqual(['new/a', '**/*.png'])
  expect(state.onlyOf('old')).toBeUndefined()
  state.rename('never heard of', 'new')
  expect(state.versionOf('new')).toBeUndefined()
})

test('a forgotten path is known no more', () => {
  const { state } = makeState()
  state.remember('data', directory)
  state.want('data', ['data/x'])
  state.forget('data')
  expect(state.versionOf('data')).toBeUndefined()
  expect(state.onlyOf('data')).toBeUndefined()
})

test('bytes that a remote alone has follow a rename, and end with the path', () => {
  const { state, reopen } = makeState()
  state.noteElsewhere('data')
  state.save()
  expect([reopen().isElsewhere('data'), reopen().isElsewhere('other')]).toEqual([true, false])
  state.rename('data', 'moved')
  expect([state.isElsewhere('data'), state.isElsewhere('moved')]).toEqual([false, true])
  state.forget('moved')
  state.save()
  expect(reopen().isElsewhere('moved')).toBe(false)
})
