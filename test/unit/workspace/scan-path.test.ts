import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, symlinkSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { EMPTY_DIGEST } from '../../../core/content-id.ts'
import { PartFiles } from '../../../core/workspace/part-files.ts'
import type { ScannedDirectory } from '../../../core/workspace/scan-directory.ts'
import { scanPath } from '../../../core/workspace/scan-path.ts'
import { makeFolder, writeFiles } from '../../support/git-fixture.ts'
import { varveErrorOf } from '../../support/varve-error.ts'

function makeRoot(files: Record<string, string> = {}) {
  const root = makeFolder()
  writeFiles(root, files)
  return { root, at: (path: string) => join(root, path), scan: (path: string) => scanPath({ root, path }) }
}

describe('looking at a path', () => {
  it('tells a file, an executable, a link and a directory', () => {
    const { at, scan } = makeRoot({ 'sub/a': '1', 'sub/tool': '2', 'sub/dir/x': '3' })
    chmodSync(at('sub/tool'), 0o755)
    symlinkSync('/anywhere at all', at('sub/link'))
    expect(scan('sub/a')).toMatchObject({ kind: 'file', name: 'a', stamp: { sizeBytes: 1 } })
    expect(scan('sub/tool')).toMatchObject({ kind: 'executable', name: 'tool' })
    expect(scan('sub/link')).toMatchObject({ kind: 'link', name: 'link', target: '/anywhere at all' })
    expect(scan('sub')).toMatchObject({ kind: 'dir', name: 'sub', directories: [{ name: 'dir' }] })
  })

  it('finds nothing where nothing is, also below a file', () => {
    const { scan } = makeRoot({ a: '1' })
    expect(scan('nothing')).toBeUndefined()
    expect(scan('a/below')).toBeUndefined()
  })

  it('does not follow a link to a directory', () => {
    const { at, scan } = makeRoot({ 'dir/a': '1' })
    symlinkSync('dir', at('link'))
    expect(scan('link')).toMatchObject({ kind: 'link', target: 'dir' })
  })

  it('refuses what no version can hold', () => {
    const { at, scan } = makeRoot()
    execFileSync('mkfifo', [at('pipe')])
    expect(varveErrorOf(() => scan('pipe'))).toMatchObject({
      code: 'UNSUPPORTED_FILE',
      message: 'pipe is neither file, directory nor link',
    })
    symlinkSync('a\nb', at('odd'))
    expect(varveErrorOf(() => scan('odd'))).toMatchObject({ code: 'UNSUPPORTED_FILE' })
  })

  it('removes its own unfinished files once they are old, and never counts them', () => {
    const { at, scan } = makeRoot({ 'd/.~varve-old': '1', 'd/.~varve-young': '2', 'd/a': '3' })
    const twoHoursAgo = Date.now() / 1000 - 7200
    utimesSync(at('d/.~varve-old'), twoHoursAgo, twoHoursAgo)
    const scanned = scan('d') as ScannedDirectory
    expect([...scanned.files()]).toMatchObject([{ name: 'a' }])
    expect(existsSync(at('d/.~varve-old'))).toBe(false)
    expect(existsSync(at('d/.~varve-young'))).toBe(true)
  })

  it('leaves alone what a process that runs may still be writing, however slow its chunks come', () => {
    const { at, scan } = makeRoot({ 'd/a': '3' })
    const file = { path: at('d/big'), label: 'd/big', digest: EMPTY_DIGEST, executable: false }
    const part = new PartFiles().create(file)
    const twoDaysAgo = Date.now() / 1000 - 2 * 24 * 3600
    utimesSync(part, twoDaysAgo, twoDaysAgo)
    scan('d')
    expect(existsSync(part)).toBe(true)
  })
})
