import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commitAll, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { runVarve, varve, varveJson } from '../support/run-varve.ts'
import { makeVersionedRepository, noise, packFiles } from '../support/versioned-repository.ts'

const REPAIR =
  'Run `varve verify --rebuild-index`, then `varve pull`, or `varve add PATH` with the original file.'
const MODEL = noise('model', 3_000_000)

type Report = {
  isGood: boolean
  problems: { kind: string; isSuperseded: boolean }[]
  rebuilt: { entriesLeftOut: number; leftOut: string[] } | null
}

async function withModel(): Promise<string> {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  writeFiles(root, { 'm.bin': MODEL })
  await varve(['add', 'm.bin'], { cwd: root })
  commitAll(root, 'model')
  return root
}

async function withRemote(root: string): Promise<string> {
  const place = join(makeFolder(), 'remote')
  await varve(['remote', 'add', 'origin', place], { cwd: root })
  commitAll(root, 'remote')
  await varve(['push', '--all'], { cwd: root })
  return place
}

function rewrite(path: string, change: (bytes: Buffer) => Buffer): void {
  const bytes = readFileSync(path)
  rmSync(path)
  writeFileSync(path, change(bytes))
}

/** Flips four bytes in the middle of the largest pack, and gives its path. */
function damageLargestPack(root: string): string {
  const [largest] = packFiles(join(root, '.git/varve')).sort(
    (a, b) => readFileSync(b).length - readFileSync(a).length,
  )
  rewrite(largest!, (bytes) => {
    const at = bytes.length >>> 1
    for (let i = at; i < at + 4; i++) bytes[i]! ^= 0xff
    return bytes
  })
  return largest!
}

/** The report of a run that must end with `exitCode`. */
async function verify(root: string, exitCode: number, ...options: string[]): Promise<Report> {
  const { stdout, stderr, exitCode: ended } = await runVarve(['verify', ...options, '--json'], { cwd: root })
  expect(ended, stderr + stdout).toBe(exitCode)
  return JSON.parse(stdout) as Report
}

async function expectWhole(root: string): Promise<void> {
  const { problems } = await verify(root, 0, '--full')
  expect(problems.every(({ isSuperseded }) => isSuperseded)).toBe(true)
  rmSync(join(root, 'm.bin'))
  await varve(['checkout', 'm.bin'], { cwd: root })
  expect(readFileSync(join(root, 'm.bin')).equals(MODEL)).toBe(true)
}

test('a damaged entry is left out of the new index, and comes back from the original file', async () => {
  const root = await withModel()
  damageLargestPack(root)
  expect((await runVarve(['verify'], { cwd: root })).stderr).toContain(`hint: ${REPAIR}`)
  const { stdout, stderr } = await runVarve(['verify', '--rebuild-index'], { cwd: root })
  expect(stdout).toMatch(/made the index anew: .*, 1 damaged entry left out\n/)
  expect(stderr).toContain('varve add PATH')
  const { storedBytes } = await varveJson<{ storedBytes: number }>(['add', 'm.bin'], { cwd: root })
  expect(storedBytes).toBeGreaterThan(1000)
  expect((await verify(root, 0)).problems).toMatchObject([{ kind: 'damaged-pack', isSuperseded: true }])
  expect(await varve(['verify'], { cwd: root })).toMatch(/note: pack .* entries are damaged; left out of/)
  await expectWhole(root)
  await withRemote(root)
})

test('a damaged entry comes back from a remote', async () => {
  const root = await withModel()
  await withRemote(root)
  damageLargestPack(root)
  expect((await verify(root, 7, '--rebuild-index')).rebuilt).toMatchObject({ entriesLeftOut: 1, leftOut: [] })
  rmSync(join(root, 'm.bin'))
  await varve(['pull'], { cwd: root })
  await expectWhole(root)
  // Once more: what is damaged on disk stays out of the index, and nothing is lost.
  expect(await verify(root, 0, '--rebuild-index')).toMatchObject({ isGood: true })
  await expectWhole(root)
})

test('a pack that is cut short comes back from a remote', async () => {
  const root = await withModel()
  await withRemote(root)
  rewrite(damageLargestPack(root), (bytes) => bytes.subarray(0, bytes.length - 100))
  expect((await verify(root, 7, '--rebuild-index')).rebuilt?.leftOut).toHaveLength(1)
  rmSync(join(root, 'm.bin'))
  await varve(['pull'], { cwd: root })
  await expectWhole(root)
})

test('a pack that is gone is no problem once all that was in it is back', async () => {
  const root = await withModel()
  rmSync(damageLargestPack(root))
  expect((await verify(root, 7)).problems).toMatchObject([{ kind: 'missing-pack', isSuperseded: false }])
  await varve(['add', 'm.bin'], { cwd: root })
  expect((await verify(root, 0)).problems).toMatchObject([{ kind: 'missing-pack', isSuperseded: true }])
  await expectWhole(root)
})

test('damaged metadata comes back from a remote, and the rest of its pack is kept', async () => {
  const root = await makeVersionedRepository()
  await withRemote(root)
  const metadata = packFiles(join(root, '.git/varve')).filter((path) => readFileSync(path)[12] === 1)
  for (const path of metadata) {
    rewrite(path, (bytes) => {
      bytes[20]! ^= 0xff
      return bytes
    })
  }
  const { rebuilt } = await verify(root, 7, '--rebuild-index')
  expect(rebuilt).toMatchObject({ entriesLeftOut: metadata.length, leftOut: [] })
  await varve(['fetch', '--all'], { cwd: root })
  await verify(root, 0, '--full')
  for (const version of ['v1', 'v2']) {
    expect(await varve(['cat', `${version}:data/sub/deep/leaf.txt`], { cwd: root })).toBe('leaf\n')
  }
})

test('a remote that was emptied on purpose is pushed to again, and an unmounted one is not', async () => {
  const root = await withModel()
  const place = await withRemote(root)
  rmSync(place, { recursive: true })
  expect((await runVarve(['push'], { cwd: root })).exitCode).not.toBe(0)
  mkdirSync(place)
  const refused = await runVarve(['push'], { cwd: root })
  expect(refused.exitCode).toBe(1)
  expect(refused.stderr).toContain(
    `${place} was a varve remote when this clone last used it, and is empty now\n` +
      'hint: Mount it; if it was emptied on purpose, run `varve remote set NAME url URL` and push again.',
  )
  await varve(['remote', 'set', 'origin', 'url', place], { cwd: root })
  await varve(['push', '--all'], { cwd: root })
  rmSync(join(root, '.git/varve/packs'), { recursive: true })
  rmSync(join(root, '.git/varve/index'), { recursive: true })
  rmSync(join(root, 'm.bin'))
  await varve(['pull'], { cwd: root })
  expect(readFileSync(join(root, 'm.bin')).equals(MODEL)).toBe(true)
})

test('adding a remote again forgets what was known of its place', async () => {
  const root = await withModel()
  const place = await withRemote(root)
  rmSync(place, { recursive: true })
  mkdirSync(place)
  await varve(['remote', 'remove', 'origin'], { cwd: root })
  await varve(['remote', 'add', 'origin', place], { cwd: root })
  await varve(['push', '--all'], { cwd: root })
  expect(readFileSync(join(place, 'varve.json'), 'utf8')).toContain('version')
})
