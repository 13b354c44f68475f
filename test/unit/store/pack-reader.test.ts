import { chmodSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { VarveError } from '../../../core/errors.ts'
import type { PackName } from '../../../core/format/pack.ts'
import { PackReader } from '../../../core/store/pack-reader.ts'
import { PackWriter } from '../../../core/store/pack-writer.ts'
import { packPath } from '../../../core/store/store-layout.ts'
import { truncated } from '../../support/damage.ts'
import { numberedDigest, packNamed } from '../../support/rows.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { outcomeOf, varveErrorOf } from '../../support/varve-error.ts'

function makePacks(count: number): { root: string; names: PackName[] } {
  const root = makeTemporaryFolder()
  const names: PackName[] = []
  const writer = new PackWriter({ root, class: 'data', onSealed: ({ name }) => void names.push(name) })
  for (let i = 0; i < count; i++) {
    writer.append('chunk', numberedDigest(i), Buffer.from(`pack ${String(i).padStart(3, '0')}`))
    writer.seal()
  }
  return { root, names }
}

describe('PackReader', () => {
  test('reads any part of any pack, with few files open', () => {
    const { root, names } = makePacks(150)
    const packs = new PackReader(root)
    for (const round of [0, 1]) {
      for (const [i, name] of names.entries()) {
        expect(packs.read(name, 16 + round, 8 - round).toString()).toBe(
          `pack ${String(i).padStart(3, '0')}`.slice(round),
        )
      }
    }
    packs.close()
    expect(packs.read(names[0]!, 16, 4).toString()).toBe('pack')
    packs.close()
  })

  test('knows which packs are there', () => {
    const { root, names } = makePacks(1)
    const packs = new PackReader(root)
    expect([packs.has(names[0]!), packs.has(packNamed(1))]).toEqual([true, false])
  })

  test('names a pack that is gone, and the remedy', () => {
    const { root, names } = makePacks(1)
    rmSync(packPath(root, names[0]!))
    const packs = new PackReader(root)
    for (const act of [
      () => packs.read(names[0]!, 0, 1),
      () => packs.readTable(names[0]!),
      () => packs.classOf(names[0]!),
    ]) {
      const { code, message, hint } = varveErrorOf(act)
      expect([code, message]).toEqual(['MISSING_BYTES', `pack ${packPath(root, names[0]!)} is gone`])
      expect(hint).toContain('varve pull')
    }
  })

  test('names a pack that is cut short, wherever', () => {
    const { root, names } = makePacks(1)
    const path = packPath(root, names[0]!)
    const whole = readFileSync(path)
    chmodSync(path, 0o644)
    for (const bytes of truncated(whole)) {
      writeFileSync(path, bytes)
      const packs = new PackReader(root)
      const outcome = outcomeOf(() => packs.readTable(names[0]!))
      packs.close()
      expect(outcome).toBeInstanceOf(VarveError)
      expect(['CORRUPT', 'MALFORMED']).toContain((outcome as VarveError).code)
      expect((outcome as VarveError).message).toContain(names[0]!)
    }
    truncateSync(path, 20)
    const packs = new PackReader(root)
    expect(varveErrorOf(() => packs.read(names[0]!, 16, 8))).toMatchObject({
      code: 'CORRUPT',
      message: `pack ${path} is cut short`,
    })
    packs.close()
  })

  test('refuses a pack under another name', () => {
    const { root, names } = makePacks(2)
    const path = packPath(root, names[0]!)
    chmodSync(path, 0o644)
    writeFileSync(path, readFileSync(packPath(root, names[1]!)))
    const packs = new PackReader(root)
    expect(varveErrorOf(() => packs.readTable(names[0]!)).code).toBe('CORRUPT')
    packs.close()
  })
})
