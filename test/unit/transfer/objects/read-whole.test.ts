import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { Remote } from '../../../../core/remote.ts'
import { readIntoFile, readWhole } from '../../../../core/transfer/objects/read-whole.ts'
import { sourceOf } from '../../../../core/transfer/objects/source-of.ts'
import { createMemoryRemote } from '../../../../remotes/memory.ts'
import { makeTemporaryFolder } from '../../../support/temporary-folder.ts'
import { varveErrorFrom } from '../../../support/varve-error.ts'

async function remoteWith(bytes: Buffer): Promise<Remote> {
  const remote = createMemoryRemote()
  await remote.write('key', sourceOf(bytes))
  return remote
}

/** A remote that never ends. */
const endless: Remote = {
  ...createMemoryRemote(),
  label: 'endless',
  async read() {
    return new Readable({
      read() {
        this.push(Buffer.alloc(1000))
      },
    })
  },
}

describe('readWhole', () => {
  test('gives a value, or a range of it', async () => {
    const remote = await remoteWith(Buffer.from('0123456789'))
    expect((await readWhole(remote, 'key', { mostBytes: 10 })).toString()).toBe('0123456789')
    const range = { start: 3, endExclusive: 6 }
    expect((await readWhole(remote, 'key', { mostBytes: 3, range })).toString()).toBe('345')
  })

  test('does not believe in an end', async () => {
    const { code, message } = await varveErrorFrom(readWhole(endless, 'key', { mostBytes: 1500 }))
    expect([code, message]).toEqual(['HOSTILE', 'endless: key is longer than the 1500 bytes it should have'])
  })

  test('passes on that there is nothing, and that the user ended it', async () => {
    const remote = await remoteWith(Buffer.alloc(1))
    expect((await varveErrorFrom(readWhole(remote, 'other', { mostBytes: 1 }))).code).toBe('NOT_FOUND')
    const signal = AbortSignal.abort()
    expect((await varveErrorFrom(readWhole(remote, 'key', { mostBytes: 1, signal }))).code).toBe(
      'INTERRUPTED',
    )
  })
})

describe('readIntoFile', () => {
  test('writes a new file and counts its bytes', async () => {
    const bytes = Buffer.alloc(200_000, 'x')
    const path = join(makeTemporaryFolder(), 'file')
    let counted = 0
    const onBytes = (count: number) => {
      counted += count
    }
    const options = { path, mostBytes: bytes.length, onBytes }
    expect(await readIntoFile(await remoteWith(bytes), 'key', options)).toBe(bytes.length)
    expect(readFileSync(path).equals(bytes)).toBe(true)
    expect(counted).toBe(bytes.length)
  })

  test('does not believe in an end, and overwrites nothing', async () => {
    const folder = makeTemporaryFolder()
    const path = join(folder, 'file')
    expect((await varveErrorFrom(readIntoFile(endless, 'key', { path, mostBytes: 5000 }))).code).toBe(
      'HOSTILE',
    )
    const remote = await remoteWith(Buffer.from('x'))
    const taken = join(folder, 'taken')
    await readIntoFile(remote, 'key', { path: taken, mostBytes: 1 })
    await expect(readIntoFile(remote, 'key', { path: taken, mostBytes: 1 })).rejects.toThrow(/EEXIST/)
    const nothing = join(folder, 'nothing')
    await varveErrorFrom(readIntoFile(remote, 'other', { path: nothing, mostBytes: 1 }))
    expect(existsSync(nothing)).toBe(false)
  })
})
