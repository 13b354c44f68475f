import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commitAll, git, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { runVarve, varve } from '../support/run-varve.ts'
import { BIG_BYTES, makeVersionedRepository, noise, packFiles } from '../support/versioned-repository.ts'

type Affected = {
  path: string
  pointer: string
  id: string
  inWorkingTree: boolean
  inIndex: boolean
  commit: string | null
  files: number
  firstFiles: string[]
  packs: string[]
}
type Report = {
  isGood: boolean
  packs: number
  entries: number
  segments: number
  problems: { kind: string; message: string; pack?: string; segment?: string; damagedEntries?: number }[]
  affected: Affected[] | null
  orphanPacks: string[]
  leftovers: { files: number; bytes: number }
  rebuilt: {
    segment: string | null
    packs: number
    rows: number
    leftOut: string[]
    removed: string[]
  } | null
}

const storeOf = (root: string) => join(root, '.git/varve')
const segmentsOf = (root: string) =>
  readdirSync(join(storeOf(root), 'index')).map((file) => join(storeOf(root), 'index', file))
const nameOf = (path: string) => /([0-9a-f]{64})\.(pack|idx)$/.exec(path)![1]!

/** Runs verify; `exitCode` is what it must end with. */
async function verify(root: string, exitCode: number, ...options: string[]): Promise<Report> {
  const run = await runVarve(['verify', ...options, '--json'], { cwd: root })
  expect(run.exitCode, run.stderr).toBe(exitCode)
  return JSON.parse(run.stdout) as Report
}

/** The pack that holds these bytes, and where in it they are. */
function packWith(root: string, bytes: Uint8Array): { path: string; at: number } {
  for (const path of packFiles(storeOf(root))) {
    const at = readFileSync(path).indexOf(bytes)
    if (at !== -1) return { path, at }
  }
  throw new Error('no pack holds it')
}

function damage({ path, at }: { path: string; at: number }): void {
  const bytes = readFileSync(path)
  bytes[at]! ^= 1
  rmSync(path)
  writeFileSync(path, bytes)
}

test('a good store is good, quick and full', async () => {
  const root = await makeVersionedRepository()
  const report = await verify(root, 0)
  expect(report).toMatchObject({ isGood: true, problems: [], affected: [], orphanPacks: [], rebuilt: null })
  expect(report.packs).toBe(packFiles(storeOf(root)).length)
  expect(report.entries).toBeGreaterThan(10)
  expect(await verify(root, 0, '--full')).toMatchObject({ isGood: true, entries: report.entries })
  expect(await varve(['verify'], { cwd: root })).toMatch(
    /^verified the checksums of \d packs \(.* entries, .*\) and \d index segments\nall is well\n$/,
  )
})

test('a store with nothing in it is good', async () => {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  expect(await verify(root, 0, '--rebuild-index')).toMatchObject({ isGood: true, packs: 0, entries: 0 })
})

test('a damaged chunk: the file and every version that has it are named', async () => {
  const root = await makeVersionedRepository()
  const place = packWith(root, noise('big').subarray(BIG_BYTES - 1000, BIG_BYTES - 900))
  damage(place)
  const report = await verify(root, 7)
  expect(report.isGood).toBe(false)
  expect(report.problems).toEqual([
    {
      kind: 'damaged-pack',
      pack: nameOf(place.path),
      damagedEntries: 1,
      isSuperseded: false,
      message: expect.stringMatching(/1 of its \d+ entries are damaged/),
    },
  ])
  const common = { path: 'data', pointer: 'data.varve', files: 1, firstFiles: ['data/big.bin'] }
  expect(report.affected).toEqual([
    expect.objectContaining({ ...common, inWorkingTree: true, commit: git(root, 'rev-parse', 'v2') }),
    expect.objectContaining({ ...common, inWorkingTree: false, commit: git(root, 'rev-parse', 'v1') }),
  ])
  expect(report.affected?.[0]?.packs).toEqual([nameOf(place.path)])

  const { stdout, stderr } = await runVarve(['verify', '--full'], { cwd: root })
  expect(stdout).toMatch(/problem: pack [0-9a-f]{64}: 1 of its/)
  expect(stdout).toMatch(
    /affected: 2 versions\n {2}data\.varve {2}b3:[0-9a-f]{10} {2}working tree, [0-9a-f]{10}: 1 file\n {6}data\/big\.bin\n/,
  )
  expect(stderr).toMatch(/^varve: 1 problem in .*\nhint: /)
})

test('versions of other branches, and those not committed yet, are found too', async () => {
  const root = await makeVersionedRepository()
  git(root, 'checkout', '--quiet', '-b', 'side')
  writeFiles(root, { 'side.bin': noise('side', 5000) })
  await varve(['add', 'side.bin'], { cwd: root })
  commitAll(root, 'side')
  git(root, 'checkout', '--quiet', 'main')
  writeFiles(root, { 'fresh.bin': noise('fresh', 5000) })
  await varve(['add', 'fresh.bin'], { cwd: root })
  damage(packWith(root, noise('side', 5000)))
  damage(packWith(root, noise('fresh', 5000)))
  const { affected } = await verify(root, 7)
  expect(affected?.map(({ path, inIndex, commit }) => [path, inIndex, commit])).toEqual([
    ['fresh.bin', true, null],
    ['side.bin', false, git(root, 'rev-parse', 'side')],
  ])
})

test('a pack that is gone: what was in it is known from the index, also when that is made anew', async () => {
  const root = await makeVersionedRepository()
  const { path } = packWith(root, noise('big').subarray(0, 100))
  const bytes = readFileSync(path)
  rmSync(path)
  const missing = {
    kind: 'missing-pack',
    pack: nameOf(path),
    message: expect.stringContaining('is gone'),
    isSuperseded: false,
  }
  const report = await verify(root, 7)
  expect(report.problems).toEqual([missing])
  // The pack held what was added first, data and a model; the second version of data leans on it too.
  const affected = report.affected?.map(({ path, files }) => `${path} ${files}`)
  expect(affected?.sort()).toEqual(['data 3', 'data 5', 'models/base.bin 1'])
  const rebuilding = await verify(root, 7, '--rebuild-index')
  expect(rebuilding.problems).toEqual([missing])
  expect(rebuilding.affected).toEqual(report.affected)
  // The new index no longer names the pack, so what was in it is missing now; should the pack turn up, it is taken in.
  expect(await verify(root, 0)).toMatchObject({ problems: [] })
  writeFileSync(path, bytes)
  expect((await verify(root, 0)).orphanPacks).toEqual([nameOf(path)])
  await verify(root, 0, '--rebuild-index')
  expect(await varve(['cat', 'data/sub/deep/leaf.txt'], { cwd: root })).toBe('leaf\n')
})

test('a lost listing stands for all that is below it', async () => {
  const root = await makeVersionedRepository()
  const metadata = packFiles(storeOf(root)).filter((path) => readFileSync(path)[12] === 1)
  for (const path of metadata) rmSync(path)
  const { affected } = await verify(root, 7)
  expect(affected?.map(({ path, firstFiles }) => [path, firstFiles])).toEqual([
    ['data', ['data/']],
    ['data', ['data/']],
  ])
})

test('a pack cut short is unreadable as a whole', async () => {
  const root = await makeVersionedRepository()
  const { path } = packWith(root, noise('big').subarray(0, 100))
  const bytes = readFileSync(path)
  rmSync(path)
  writeFileSync(path, bytes.subarray(0, bytes.length - 100))
  const report = await verify(root, 7)
  expect(report.problems).toMatchObject([{ kind: 'damaged-pack', pack: nameOf(path) }])
  expect(report.problems[0]?.damagedEntries).toBeUndefined()
  expect(report.affected).toHaveLength(3)
  expect((await verify(root, 7, '--rebuild-index')).rebuilt?.leftOut).toEqual([nameOf(path)])
})

test('a damaged index segment stops everything, and is made anew from the packs', async () => {
  const root = await makeVersionedRepository()
  const segments = segmentsOf(root)
  for (const path of segments) damage({ path, at: 40 })
  expect((await runVarve(['cat', 'data/same.txt'], { cwd: root })).exitCode).toBe(7)
  const report = await verify(root, 7)
  expect(report.problems.map(({ kind }) => kind)).toEqual(segments.map(() => 'damaged-segment'))
  expect(report.affected).toBeNull()
  const { stderr } = await runVarve(['verify'], { cwd: root })
  expect(stderr).toMatch(/hint: Run `varve verify --rebuild-index`/)

  const rebuilding = await verify(root, 0, '--rebuild-index')
  expect(rebuilding).toMatchObject({ isGood: true, affected: [] })
  expect(rebuilding.rebuilt?.removed.sort()).toEqual(segments.map(nameOf).sort())
  expect(segmentsOf(root).map(nameOf)).toEqual([rebuilding.rebuilt?.segment])
  expect(await varve(['cat', 'v1:data/same.txt'], { cwd: root })).toBe('same\n')
  expect(await verify(root, 0, '--full')).toMatchObject({ isGood: true, orphanPacks: [] })
})

test('segments that are gone leave packs in none: a note, and --rebuild-index takes them in', async () => {
  const root = await makeVersionedRepository()
  rmSync(join(storeOf(root), 'index'), { recursive: true })
  const packs = packFiles(storeOf(root)).map(nameOf).sort()
  const report = await verify(root, 0)
  expect(report.orphanPacks.sort()).toEqual(packs)
  expect(await varve(['verify'], { cwd: root })).toMatch(
    /note: \d packs in no index segment; `varve verify --r/,
  )
  expect((await verify(root, 0, '--rebuild-index')).rebuilt?.packs).toBe(packs.length)
  expect((await verify(root, 0)).orphanPacks).toEqual([])
  expect(await varve(['cat', 'data/same.txt'], { cwd: root })).toBe('changed\n')
})

test('a damaged index and a damaged pack: the one is mended, the other told', async () => {
  const root = await makeVersionedRepository()
  damage(packWith(root, noise('big').subarray(0, 100)))
  for (const path of segmentsOf(root)) damage({ path, at: 40 })
  const report = await verify(root, 7, '--rebuild-index')
  expect(report.problems.map(({ kind }) => kind)).toEqual([
    ...report.rebuilt!.removed.map(() => 'damaged-segment'),
    'damaged-pack',
  ])
  expect(report.affected?.map(({ path }) => path)).toEqual(['data', 'data'])
})

test('a segment of a later format is not touched', async () => {
  const root = await makeVersionedRepository()
  const { ContentHasher, hexOf } = await import('../../core/content-id.ts')
  const { sealPage, PAGE_BYTES } = await import('../../core/format/segment.ts')
  const page = Buffer.alloc(PAGE_BYTES)
  page.write('varvsegm', 'latin1')
  page.writeUInt32LE(2, 8)
  sealPage(page)
  const hasher = new ContentHasher()
  hasher.update(page)
  const path = join(storeOf(root), 'index', `${hexOf(hasher.digest())}.idx`)
  writeFileSync(path, page)
  const { exitCode, stderr } = await runVarve(['verify', '--rebuild-index'], { cwd: root })
  expect(exitCode).toBe(7)
  expect(stderr).toMatch(/version 2 of the index format/)
  expect(readFileSync(path).equals(page)).toBe(true)
})

test('leftovers are counted and are no problem', async () => {
  const root = await makeVersionedRepository()
  mkdirSync(join(storeOf(root), 'tmp'), { recursive: true })
  writeFileSync(join(storeOf(root), 'tmp', 'host-1-abc'), 'unfinished')
  writeFileSync(join(storeOf(root), 'packs', 'stray'), 'x')
  expect(await verify(root, 0)).toMatchObject({ isGood: true, leftovers: { files: 2, bytes: 11 } })
})
