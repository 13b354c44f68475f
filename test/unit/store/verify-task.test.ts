import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { contentIdOf } from '../../../core/content-id.ts'
import type { PackName } from '../../../core/format/pack.ts'
import { PackReader } from '../../../core/store/pack-reader.ts'
import { PackWriter } from '../../../core/store/pack-writer.ts'
import { packPath } from '../../../core/store/store-layout.ts'
import { storedEntries, verifyPack, verifyTask } from '../../../core/store/verify-task.ts'
import { noise } from '../../support/build-store.ts'
import { flip } from '../../support/damage.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'

const CONTENTS = [Buffer.from('one'), Buffer.alloc(50_000, 'two '), noise(3000, 1), Buffer.alloc(0)]

function makePack(contents: readonly Buffer[] = CONTENTS): { root: string; name: PackName; path: string } {
  const root = makeTemporaryFolder()
  let name: PackName | undefined
  const writer = new PackWriter({ root, class: 'data', onSealed: (pack) => (name = pack.name) })
  for (const raw of contents) {
    writer.append('chunk', Buffer.from(contentIdOf(raw).slice(3), 'hex'), raw)
  }
  writer.seal()
  const path = packPath(root, name!)
  chmodSync(path, 0o644)
  return { root, name: name!, path }
}

function verify(root: string, name: PackName, full = true) {
  const packs = new PackReader(root)
  try {
    return verifyPack(packs, { root, name, full })
  } finally {
    packs.close()
  }
}

describe('verifyPack', () => {
  test.each([true, false])('finds nothing wrong with a good pack (full: %s)', (full) => {
    const { root, name, path } = makePack()
    const bytes = readFileSync(path).length
    expect(verify(root, name, full)).toEqual({ pack: name, entries: 4, bytes, problems: [] })
  })

  test('finds any flipped bit but those of the class, quick as well as full', () => {
    const { root, name, path } = makePack()
    const whole = readFileSync(path)
    for (let at = 0; at < whole.length; at += 5) {
      if (at === 12) continue
      writeFileSync(path, flip(whole, at))
      for (const full of [true, false]) {
        const { problems } = verify(root, name, full)
        expect(problems, `byte ${at}`).toHaveLength(1)
        expect(problems[0]!.pack).toBe(name)
      }
    }
  })

  test('names each entry that is damaged, and goes on', () => {
    const { root, name, path } = makePack()
    const whole = readFileSync(path)
    const packs = new PackReader(root)
    const { entries } = packs.readTable(name)
    packs.close()
    for (const i of [0, 2]) whole[entries[i]!.offset]! ^= 1
    writeFileSync(path, whole)
    expect(verify(root, name).problems).toMatchObject([
      { kind: 'chunk', id: contentIdOf(CONTENTS[0]!), message: expect.stringContaining('is damaged') },
      { kind: 'chunk', id: contentIdOf(CONTENTS[2]!) },
    ])
  })

  test('finds what checksums do not: bytes that were stored under a wrong id', () => {
    const root = makeTemporaryFolder()
    let name: PackName | undefined
    const writer = new PackWriter({ root, class: 'data', onSealed: (pack) => (name = pack.name) })
    writer.append('chunk', Buffer.alloc(32, 5), Buffer.from('other bytes'))
    writer.seal()
    expect(verify(root, name!, false).problems).toEqual([])
    expect(verify(root, name!, true).problems).toMatchObject([{ id: `b3:${'05'.repeat(32)}` }])
  })

  test.each([0, 10, 100, 3100])('finds a pack that is cut to %i bytes', (length) => {
    const { root, name, path } = makePack()
    writeFileSync(path, readFileSync(path).subarray(0, length))
    const { problems } = verify(root, name)
    expect(problems).toHaveLength(1)
    expect(problems[0]).not.toHaveProperty('id')
    expect(problems[0]!.message).toContain(name)
  })

  test('finds a pack that is gone', () => {
    const { root, name, path } = makePack()
    rmSync(path)
    expect(verify(root, name).problems).toMatchObject([{ pack: name, message: `pack ${path} is gone` }])
  })
})

test('storedEntries reads a pack of many blocks entry by entry', () => {
  const contents = Array.from({ length: 12 }, (_, i) => noise(1 << 20, i + 1))
  const { root, name } = makePack(contents)
  const packs = new PackReader(root)
  const { entries } = packs.readTable(name)
  const stored = [...storedEntries(packs, name, entries)]
  packs.close()
  expect(stored.map(([entry]) => entry)).toEqual(entries)
  for (const [i, [, bytes]] of stored.entries()) expect(bytes.equals(contents[i]!)).toBe(true)
})

test('the task verifies what it is given until there is no more', async () => {
  const { root, name } = makePack()
  const answers = [[name], ['a'.repeat(64) as PackName, name], undefined]
  const done: string[][] = []
  await verifyTask.run({ root, full: true }, async (question) => {
    done.push(question.done.map(({ pack, problems }) => `${pack === name} ${problems.length}`))
    return answers[done.length - 1]
  })
  expect(done).toEqual([[], ['true 0'], ['false 1', 'true 0']])
})
