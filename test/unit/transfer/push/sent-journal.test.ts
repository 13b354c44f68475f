import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { PackClass, PackName } from '../../../../core/format/pack.ts'
import type { Remote } from '../../../../core/remote.ts'
import { PackWriter, type SealedPack } from '../../../../core/store/pack-writer.ts'
import { packKey, packPath } from '../../../../core/store/store-layout.ts'
import { sourceOf } from '../../../../core/transfer/objects/source-of.ts'
import { SentJournal } from '../../../../core/transfer/push/sent-journal.ts'
import { createMemoryRemote } from '../../../../remotes/memory.ts'
import { withCounting } from '../../../../remotes/with-counting.ts'
import { flip, truncated } from '../../../support/damage.ts'
import { numberedDigest } from '../../../support/rows.ts'
import { makeTemporaryFolder } from '../../../support/temporary-folder.ts'

/** `folder` is that of its notes. */
function open(folder: string, remote: Remote): Promise<SentJournal> {
  return SentJournal.open({ remote, folder: dirname(folder) }, makeTemporaryFolder())
}

/** A pack on the remote, and its note in a journal. */
async function notedPack(packClass: PackClass = 'data') {
  const root = makeTemporaryFolder()
  let pack: SealedPack | undefined
  const writer = new PackWriter({ root, class: packClass, onSealed: (sealed) => (pack = sealed) })
  for (let i = 0; i < 3; i++) writer.append('chunk', numberedDigest(i), Buffer.from(`chunk ${i}`))
  writer.seal()
  const bytes = readFileSync(packPath(root, pack!.name))
  const { remote, counts } = withCounting(createMemoryRemote())
  await remote.write(packKey(pack!.name), sourceOf(bytes))
  const folder = join(makeTemporaryFolder(), 'sent')
  const journal = await open(folder, remote)
  journal.note(pack!, bytes.subarray(-pack!.tailBytes))
  return { folder, remote, counts, pack: pack!, bytes, journal }
}

describe('SentJournal', () => {
  test('of nothing is empty, and asks nothing', async () => {
    const { remote, counts } = withCounting(createMemoryRemote())
    const journal = await open(join(makeTemporaryFolder(), 'sent'), remote)
    expect([journal.packs.size, journal.find('chunk', numberedDigest(0)), counts.stat]).toEqual([
      0,
      undefined,
      0,
    ])
    journal.clear()
  })

  test.each(['data', 'metadata'] as const)(
    'knows what is in a %s pack that an earlier push sent',
    async (packClass) => {
      const { folder, remote, pack } = await notedPack(packClass)
      const journal = await open(folder, remote)
      const { sizeBytes, tailBytes } = pack
      expect([...journal.packs.values()]).toMatchObject([
        { name: pack.name, class: packClass, sizeBytes, tailBytes },
      ])
      expect(SentJournal.hasNotes(dirname(folder))).toBe(true)
      expect(journal.find('chunk', numberedDigest(1))).toMatchObject({ pack: pack.name, rawBytes: 7 })
      expect([...journal.findAll('chunk', numberedDigest(2))]).toHaveLength(1)
      expect(journal.find('chunk', numberedDigest(3))).toBeUndefined()
      journal.clear()
      expect((await open(folder, remote)).packs.size).toBe(0)
    },
  )

  test('does not tell a push of what that push itself sends', async () => {
    const { journal } = await notedPack()
    expect([journal.packs.size, journal.find('chunk', numberedDigest(0))]).toEqual([0, undefined])
  })

  test('of one of two pushes at once leaves alone what the other notes', async () => {
    const { folder, remote, pack, bytes } = await notedPack()
    const [first, second] = [await open(folder, remote), await open(folder, remote)]
    const name = 'f'.repeat(64) as PackName
    second.note({ ...pack, name }, bytes.subarray(-pack.tailBytes))
    first.clear()
    expect(readdirSync(folder)).toEqual([`${name}.data.${pack.sizeBytes}`])
    second.clear()
    expect(readdirSync(folder)).toEqual([])
    expect(SentJournal.hasNotes(dirname(folder))).toBe(false)
  })

  test('passes over notes that another push takes away meanwhile', async () => {
    const { folder, remote, journal } = await notedPack()
    const racing: Remote = {
      ...remote,
      stat(key) {
        journal.clear()
        return remote.stat(key)
      },
    }
    expect((await open(folder, racing)).packs.size).toBe(0)
  })

  test('passes over packs that are gone, or of another length', async () => {
    const { folder, remote, pack, bytes } = await notedPack()
    await remote.write(packKey(pack.name), sourceOf(bytes.subarray(1)))
    expect((await open(folder, remote)).packs.size).toBe(0)
    await remote.remove(packKey(pack.name))
    expect((await open(folder, remote)).packs.size).toBe(0)
  })

  test('passes over notes that are torn, and over other files', async () => {
    const { folder, remote, pack } = await notedPack()
    const [note] = readdirSync(folder)
    const path = join(folder, note!)
    const whole = readFileSync(path)
    chmodSync(path, 0o644)
    for (const damage of [
      ...truncated(whole),
      flip(whole, 0),
      flip(whole, 100),
      flip(whole, whole.length - 1),
    ]) {
      writeFileSync(path, damage)
      expect((await open(folder, remote)).packs.size).toBe(0)
    }
    writeFileSync(path, whole)
    for (const name of [
      'x',
      'a.data.5',
      `${pack.name}.other.5`,
      `${pack.name}.data.x`,
      `${pack.name}.data`,
    ]) {
      writeFileSync(join(folder, name), whole)
    }
    mkdirSync(join(folder, 'folder'))
    const journal = await open(folder, remote)
    expect([...journal.packs.keys()]).toEqual([pack.name as PackName])
    journal.clear()
  })
})
