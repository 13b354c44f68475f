import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { replaceFiles } from '../../../core/workspace/replace-files.ts'
import { makeFolder, writeFiles } from '../../support/git-fixture.ts'

const calls = vi.hoisted(() => [] as string[])

vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs/promises')>()
  const open = async (...args: Parameters<typeof real.open>) => {
    const handle = await real.open(...args)
    const sync = handle.sync.bind(handle)
    handle.sync = async () => {
      await sync()
      calls.push('sync a file')
    }
    return handle
  }
  const rename = async (...args: Parameters<typeof real.rename>) => {
    calls.push('rename')
    await real.rename(...args)
  }
  return { ...real, open, rename }
})

vi.mock('../../../core/store/durable.ts', async (importOriginal) => {
  const real = await importOriginal<typeof import('../../../core/store/durable.ts')>()
  const syncFolder = (folder: string) => {
    real.syncFolder(folder)
    calls.push('sync a folder')
  }
  return { ...real, syncFolder }
})

describe('replaceFiles', () => {
  it('makes and replaces, in several folders, and leaves nothing else', async () => {
    const root = makeFolder()
    writeFiles(root, { 'a/x': 'before', 'b/y': 'before' })
    const files = Array.from({ length: 20 }, (_, i) => ({ path: `a/${i}`, text: `${i}\n` }))
    await replaceFiles(root, [...files, { path: 'b/y', text: 'after' }, { path: 'top', text: '' }])
    for (const { path, text } of files) expect(readFileSync(join(root, path), 'utf8')).toBe(text)
    expect(readFileSync(join(root, 'b/y'), 'utf8')).toBe('after')
    expect(readFileSync(join(root, 'top'), 'utf8')).toBe('')
    expect(readdirSync(root, { recursive: true })).toHaveLength(2 + 20 + 1 + 1 + 1)
  })

  it('syncs every file before the first gets its name, and each folder once after the last', async () => {
    const root = makeFolder()
    writeFiles(root, { 'a/x': 'before', 'b/y': 'before' })
    calls.length = 0
    const paths = ['a/x', 'a/z', 'b/y', 'a/w']
    await replaceFiles(
      root,
      paths.map((path) => ({ path, text: 'after' })),
    )
    expect(calls).toEqual([
      ...paths.map(() => 'sync a file'),
      ...paths.map(() => 'rename'),
      ...['sync a folder', 'sync a folder'],
    ])
  })

  it('keeps the mode of a file', async () => {
    const root = makeFolder()
    writeFileSync(join(root, 'x'), 'before')
    chmodSync(join(root, 'x'), 0o600)
    await replaceFiles(root, [{ path: 'x', text: 'after' }])
    expect(statSync(join(root, 'x')).mode & 0o777).toBe(0o600)
  })

  it('changes nothing when one of them cannot be written', async () => {
    const root = makeFolder()
    writeFiles(root, { 'a/x': 'before' })
    const files = [
      { path: 'a/x', text: 'after' },
      { path: 'gone/y', text: 'after' },
      { path: 'a/z', text: 'after' },
    ]
    await expect(replaceFiles(root, files)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'no such file while writing gone/y',
    })
    expect(readdirSync(join(root, 'a'))).toEqual(['x'])
    expect(readFileSync(join(root, 'a/x'), 'utf8')).toBe('before')
  })

  it('leaves nothing half-done where a directory is in the way', async () => {
    const root = makeFolder()
    writeFiles(root, { 'a/y/in-the-way': '' })
    await expect(replaceFiles(root, [{ path: 'a/y', text: 'after' }])).rejects.toMatchObject({ code: 'IO' })
    expect(readdirSync(join(root, 'a'))).toEqual(['y'])
  })
})
