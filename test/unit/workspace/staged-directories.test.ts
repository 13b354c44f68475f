import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import type { TreeEntry } from '../../../core/format/tree.ts'
import { addVersion } from '../../support/build-store.ts'
import { flip } from '../../support/damage.ts'
import { writeFiles } from '../../support/git-fixture.ts'
import { treeOf } from '../../support/tree-of.ts'
import { varveErrorFrom } from '../../support/varve-error.ts'
import { packFiles } from '../../support/versioned-repository.ts'
import { Workspace } from '../../support/workspace-fixture.ts'

let workspace: Workspace

beforeEach(() => {
  workspace = new Workspace()
})

const at = (path: string) => join(workspace.root, path)

function files(count: number, prefix = 'f'): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`${prefix}${i}`, `content ${prefix}${i}`]),
  )
}

async function apply(version: TreeEntry): Promise<void> {
  await workspace.apply(await workspace.plan(version))
}

/** Names that only Varve gives. */
function temporaries(): string[] {
  return Object.keys(treeOf(workspace.root)).filter((path) => path.includes('.~varve-'))
}

describe.runIf(process.platform !== 'win32')('new directories of many files', () => {
  test('are there whole, beside those of few files, of further directories, and the tracked path itself', async () => {
    const content = {
      ...files(10, 'top'),
      leaf: files(12),
      few: files(3),
      inner: { ...files(9), deep: { deeper: files(8) } },
      empty: {},
    }
    const version = addVersion(workspace.store, content)
    await apply(version)
    for (const [path, names] of [
      ['data', [...Object.keys(files(10, 'top')), 'leaf', 'few', 'inner', 'empty']],
      ['data/leaf', Object.keys(files(12))],
      ['data/inner', [...Object.keys(files(9)), 'deep']],
      ['data/inner/deep/deeper', Object.keys(files(8))],
    ] as const) {
      expect(readdirSync(at(path)).sort()).toEqual([...names].sort())
    }
    expect(readFileSync(at('data/leaf/f7'), 'utf8')).toBe('content f7')
    expect(lstatSync(at('data/leaf')).mode).toBe(lstatSync(at('data/few')).mode)
    expect(temporaries()).toEqual([])
    const { changes, unchangedFiles } = await workspace.compare(version)
    expect({ changes, unchangedFiles }).toEqual({ changes: [], unchangedFiles: 42 })
  })

  test('do not take the place of what somebody made there meanwhile', async () => {
    const version = addVersion(workspace.store, { other: 'x', leaf: files(20) })
    const plan = await workspace.plan(version)
    const watched = workspace.apply(plan)
    // The directory is being filled now, under another name.
    mkdirSync(at('data/leaf'))
    writeFiles(workspace.root, { 'data/leaf/mine': 'mine' })
    expect(await varveErrorFrom(watched)).toMatchObject({
      code: 'WOULD_LOSE_DATA',
      message: 'data/leaf was changed while varve was at work',
    })
    expect(readdirSync(at('data/leaf'))).toEqual(['mine'])
    expect(temporaries()).toEqual([])
  })

  test('leave nothing behind where one of their files cannot be had', async () => {
    const version = addVersion(workspace.store, { leaf: files(20) })
    for (const path of packFiles(workspace.store.root)) {
      const bytes = readFileSync(path)
      const position = bytes.indexOf('content f13')
      if (position >= 0) writeFileSync(path, flip(bytes, position), { mode: 0o644 })
    }
    const error = await varveErrorFrom(apply(version))
    expect([error.code, error.message.slice(0, 13)]).toEqual(['CORRUPT', 'data/leaf/f13'])
    expect(readdirSync(at('data'))).toEqual([])
  })

  test('that are there already, even if empty, are filled in their place', async () => {
    mkdirSync(at('data/leaf'), { recursive: true })
    const before = lstatSync(at('data/leaf')).ino
    await apply(addVersion(workspace.store, { leaf: files(20) }))
    expect(lstatSync(at('data/leaf')).ino).toBe(before)
    expect(readdirSync(at('data/leaf'))).toHaveLength(20)
  })
})
