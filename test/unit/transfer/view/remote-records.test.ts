import { describe, expect, test } from 'vitest'
import { type BundleName, decodeRecordBundle } from '../../../../core/format/record-bundle.ts'
import {
  compressRecord,
  encodeRootRecord,
  type RecordId,
  type RootRecord,
  recordIdOf,
} from '../../../../core/format/root-record.ts'
import type { Remote } from '../../../../core/remote.ts'
import { sourceOf } from '../../../../core/transfer/objects/source-of.ts'
import { RemoteRecords } from '../../../../core/transfer/view/remote-records.ts'
import { createMemoryRemote } from '../../../../remotes/memory.ts'
import { withCounting } from '../../../../remotes/with-counting.ts'
import { keysOf, overwriteKey, REPOSITORY, readKey } from '../../../support/remote-fixture.ts'
import { makeTemporaryFolder } from '../../../support/temporary-folder.ts'
import { varveErrorFrom } from '../../../support/varve-error.ts'

const PREFIX = `roots/${REPOSITORY}/`
const DAY_MS = 24 * 3600 * 1000

function recordOf(i: number): RootRecord {
  const createdAt = new Date(Date.UTC(2026, 0, 1) + i).toISOString()
  const who = `person ${i}`
  return { kind: 'final', repository: REPOSITORY, createdAt, who, commits: [], packs: [], pointers: [] }
}

async function writeRecords(remote: Remote, from: number, end: number): Promise<RecordId[]> {
  const ids: RecordId[] = []
  for (let i = from; i < end; i++) {
    const json = encodeRootRecord(recordOf(i))
    const id = recordIdOf(json)
    await remote.write(`${PREFIX}${id}.final`, sourceOf(compressRecord(json)))
    ids.push(id)
  }
  return ids
}

function recordsOf(remote: Remote, folder = makeTemporaryFolder()): RemoteRecords {
  return new RemoteRecords({ remote, folder, repositoryId: REPOSITORY })
}

async function refreshed(records: RemoteRecords): Promise<RemoteRecords> {
  await records.refresh(async () => {})
  return records
}

async function mergeAll(remote: Remote): Promise<void> {
  const records = await refreshed(recordsOf(remote))
  await records.merge(records.present.map(({ name }) => name))
}

/** The only bundle that counts, as it lies on the remote. */
async function bundleOn(remote: Remote) {
  const records = await refreshed(recordsOf(remote))
  const { name } = records.present[0]!
  const bundle = name.slice(0, -'.bundle'.length) as BundleName
  return { bundle, ...decodeRecordBundle(await readKey(remote, `${PREFIX}${name}`), bundle) }
}

describe('RemoteRecords', () => {
  test('reads a bundle instead of the records in it, and keeps it', async () => {
    const { remote, counts } = withCounting(createMemoryRemote())
    await writeRecords(remote, 0, 5)
    await mergeAll(remote)
    await writeRecords(remote, 5, 6)
    counts.read = 0
    const folder = makeTemporaryFolder()
    for (const reads of [2, 2]) {
      const records = await refreshed(recordsOf(remote, folder))
      expect([records.all.size, counts.read]).toEqual([6, reads])
      expect(records.present).toHaveLength(2)
      expect([...records.replaced()]).toHaveLength(5)
    }
  })

  test('gives up single records for the bundle that they are in, and none of them', async () => {
    const remote = createMemoryRemote()
    const folder = makeTemporaryFolder()
    const ids = await writeRecords(remote, 0, 4)
    const records = await refreshed(recordsOf(remote, folder))
    await mergeAll(remote)
    for (const id of ids) await remote.remove(`${PREFIX}${id}.final`)
    for (const one of [records, recordsOf(remote, folder), recordsOf(remote)]) {
      await refreshed(one)
      expect([...one.all.keys()].sort()).toEqual([...ids].sort())
      expect([...one.all.values()].map(({ who }) => who).sort()).toEqual(
        [0, 1, 2, 3].map((i) => `person ${i}`),
      )
    }
  })

  test('bundles say when their records came, and which bundles are in them', async () => {
    let time = Date.UTC(2026, 0, 1)
    const remote = createMemoryRemote({ now: () => new Date(time) })
    const ids = await writeRecords(remote, 0, 2)
    await mergeAll(remote)
    const first = await bundleOn(remote)
    time += DAY_MS
    ids.push(...(await writeRecords(remote, 2, 3)))
    await mergeAll(remote)
    const second = await bundleOn(remote)
    expect(second.supersedes).toEqual([first.bundle])
    expect(second.records.map(({ id }) => id).sort()).toEqual([...ids].sort())
    const when = new Map(second.records.map(({ id, writtenAt }) => [id, writtenAt]))
    expect(ids.map((id) => when.get(id))).toEqual([
      '2026-01-01T00:00:00.000Z',
      '2026-01-01T00:00:00.000Z',
      '2026-01-02T00:00:00.000Z',
    ])
  })

  test('forgets what is gone, but not what another file has', async () => {
    const remote = createMemoryRemote()
    const ids = await writeRecords(remote, 0, 3)
    const records = await refreshed(recordsOf(remote))
    await remote.remove(`${PREFIX}${ids[0]}.final`)
    expect([...(await refreshed(records)).all.keys()].sort()).toEqual(ids.slice(1).sort())
    await mergeAll(remote)
    for (const key of await keysOf(remote, PREFIX)) if (key.endsWith('.bundle')) await remote.remove(key)
    expect((await refreshed(records)).all.size).toBe(2)
  })

  test('asks what the place is where there are none', async () => {
    let asked = 0
    await recordsOf(createMemoryRemote()).refresh(async () => {
      asked++
    })
    expect(asked).toBe(1)
  })

  test('refuses a bundle that is damaged there, and names it', async () => {
    const remote = createMemoryRemote()
    await writeRecords(remote, 0, 2)
    await mergeAll(remote)
    const [key] = (await keysOf(remote, PREFIX)).filter((one) => one.endsWith('.bundle'))
    await overwriteKey(remote, key!, (bytes) => bytes.subarray(0, -3))
    const { code, message, hint } = await varveErrorFrom(refreshed(recordsOf(remote)))
    expect([code, hint]).toEqual(['CORRUPT', expect.stringContaining('push again')])
    expect(message).toContain(key!.slice(PREFIX.length, -'.bundle'.length))
  })
})
