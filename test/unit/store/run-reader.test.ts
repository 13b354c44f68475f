import { readFileSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { digestOf, hexOf } from '../../../core/content-id.ts'
import type { PackEntry, PackName } from '../../../core/format/pack.ts'
import { PackReader } from '../../../core/store/pack-reader.ts'
import { PackWriter } from '../../../core/store/pack-writer.ts'
import { type EntryToRead, RunReader } from '../../../core/store/run-reader.ts'
import { packPath } from '../../../core/store/store-layout.ts'
import { noise } from '../../support/build-store.ts'
import { flip } from '../../support/damage.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'

/** Of any size up to that of a chunk; those of even index can be compressed. */
const CONTENTS = Array.from({ length: 120 }, (_, i) => {
  const sizeBytes = [0, 1, 40, 300, 5000, 70_000, 260_000][i % 7]! + i
  return i % 2 === 0 ? Buffer.alloc(sizeBytes, `line ${i}\n`) : noise(sizeBytes, i + 1)
})

const IDS = CONTENTS.map(idOf)

function idOf(bytes: Buffer): string {
  return hexOf(digestOf(bytes))
}

function makePacks(count: number) {
  const root = makeTemporaryFolder()
  const names: PackName[] = []
  const writer = new PackWriter({ root, class: 'data', onSealed: ({ name }) => void names.push(name) })
  for (const [index, content] of CONTENTS.entries()) {
    writer.append('chunk', digestOf(content), content)
    if ((index + 1) % Math.ceil(CONTENTS.length / count) === 0) writer.seal()
  }
  writer.seal()
  const packs = new PackReader(root)
  const entries = names.flatMap((pack) =>
    packs.readTable(pack).entries.map((entry) => ({ digest: entry.digest, location: { ...entry, pack } })),
  )
  const calls: number[] = []
  const runs = new RunReader((pack, offset, lengthBytes, into) => {
    calls.push(lengthBytes)
    return packs.read(pack, offset, lengthBytes, into)
  })
  /** Comparing ids is a thousand times faster than comparing the bytes. */
  const read = (some: readonly EntryToRead[]) => Array.from(runs.read(some), ({ raw }) => raw && idOf(raw))
  return { root, names, entries, read, calls, runs }
}

describe('reading entries in runs', () => {
  test('gives every entry, from a few reads of a mebibyte', () => {
    const { entries, read, calls } = makePacks(3)
    expect(read(entries)).toEqual(IDS)
    expect(Math.max(...calls)).toBeLessThanOrEqual(1 << 20)
    expect(calls.length).toBeLessThan(CONTENTS.length / 4)
  })

  test('gives any of them in any order, with gaps and repeats', () => {
    const { entries, read } = makePacks(4)
    fc.assert(
      fc.property(fc.array(fc.nat(CONTENTS.length - 1), { maxLength: 40 }), (indices) => {
        const wanted = indices.map((index) => entries[index]!)
        expect(read(wanted)).toEqual(indices.map((index) => IDS[index]))
      }),
      { numRuns: 60 },
    )
  })

  test('gives the stored bytes beside the raw ones', () => {
    const { entries, names, root, runs } = makePacks(1)
    const pack = readFileSync(packPath(root, names[0]!))
    let index = 0
    for (const { stored } of runs.read(entries)) {
      const { offset, storedBytes } = entries[index++]!.location
      expect(stored!.equals(pack.subarray(offset, offset + storedBytes))).toBe(true)
    }
  })

  test('leaves out a damaged entry alone, whatever lies beside it', () => {
    const { root, names, entries, read } = makePacks(1)
    const path = packPath(root, names[0]!)
    const good = readFileSync(path)
    for (const index of [1, 2, 16, 60, 90, 119]) {
      const { offset, storedBytes } = entries[index]!.location
      for (const at of [offset, offset + (storedBytes >> 1), offset + storedBytes - 1]) {
        writePack(path, flip(good, at))
        expect(read(entries).map((raw) => raw !== undefined)).toEqual(entries.map((_, i) => i !== index))
      }
    }
    writePack(path, good)
  })

  test('leaves out what a table gives other lengths than the frames have', () => {
    const { entries, read } = makePacks(1)
    const lied = entries.map((entry, index) => {
      const change = (location: PackEntry & { pack: PackName }) => ({
        ...location,
        rawBytes: location.rawBytes + 1,
      })
      return index === 4 ? { ...entry, location: change(entry.location) } : entry
    })
    const results = read(lied)
    expect(results[4]).toBeUndefined()
    expect(results.filter((raw) => raw === undefined)).toHaveLength(1)
  })

  test('gives nothing of a pack that is gone or cut short', () => {
    const { root, names, entries, read } = makePacks(1)
    const path = packPath(root, names[0]!)
    writePack(path, readFileSync(path).subarray(0, entries[100]!.location.offset))
    const results = read(entries)
    expect(results.slice(0, 50)).toEqual(IDS.slice(0, 50))
    expect(results.slice(100).every((raw) => raw === undefined)).toBe(true)
    const gone = entries.map(({ digest, location }) => ({
      digest,
      location: { ...location, pack: '0'.repeat(64) as PackName },
    }))
    expect(read(gone).every((raw) => raw === undefined)).toBe(true)
  })
})

/** In place, so that a reader that has it open sees it. */
function writePack(path: string, bytes: Buffer): void {
  writeFileSync(path, bytes)
}
