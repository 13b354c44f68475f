import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { type RunVarveOptions, runVarve, varve, varveJson } from '../support/run-varve.ts'
import { startS3Server } from '../support/s3-server.ts'
import { treeOf } from '../support/tree-of.ts'
import { noise } from '../support/versioned-repository.ts'

const MACHINES = 4
const ROUNDS = 2

type Options = Omit<RunVarveOptions, 'cwd'>

/** What every machine has, so that pushes lean on each other's packs. */
const COMMON = { 'data/common/a.bin': noise('common a'), 'data/common/b.bin': noise('common b') }

async function makeMachines(
  remote: string[],
  options: Options,
): Promise<{ root: string; machines: string[] }> {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  await varve(['remote', 'add', 'origin', ...remote], { cwd: root, ...options })
  writeFiles(root, { 'data/start.txt': 'start\n' })
  await varve(['add', 'data'], { cwd: root })
  commitAll(root, 'start')
  const machines: string[] = []
  for (let at = 0; at < MACHINES; at++) {
    const machine = join(makeFolder(), `machine-${at}`)
    git(root, 'clone', '--quiet', root, machine)
    await varve(['trust', 'origin'], { cwd: machine, ...options })
    machines.push(machine)
  }
  return { root, machines }
}

/** Rounds of change, add, commit and push. */
async function work(machine: string, at: number, options: Options): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    writeFiles(machine, { ...COMMON, [`data/own-${at}.bin`]: noise(`${at} ${round}`) })
    await varve(['add', 'data'], { cwd: machine, ...options })
    commitAll(machine, `machine ${at}, round ${round}`)
    await varve(['push'], { cwd: machine, ...options })
  }
}

/** Pulls of a version that was there before, again and again, each into a clone that has nothing. */
async function pullUntil(isDone: () => boolean, root: string, options: Options): Promise<number> {
  let pulls = 0
  while (!isDone() || pulls === 0) {
    const clone = join(makeFolder(), 'reader')
    git(root, 'clone', '--quiet', root, clone)
    await varve(['trust', 'origin'], { cwd: clone, ...options })
    await varve(['pull'], { cwd: clone, ...options })
    expect(treeOf(clone)).toEqual(treeOf(root))
    rmSync(clone, { recursive: true })
    pulls++
  }
  return pulls
}

async function pushFromManyAtOnce(remote: string[], options: Options = {}): Promise<void> {
  const { root, machines } = await makeMachines(remote, options)
  await varve(['push'], { cwd: root, ...options })
  let isDone = false
  const reading = pullUntil(() => isDone, root, options)
  await Promise.all(machines.map((machine, at) => work(machine, at, options))).finally(() => {
    isDone = true
  })
  expect(await reading).toBeGreaterThan(0)
  for (const machine of machines) {
    const clone = join(makeFolder(), 'clone')
    git(root, 'clone', '--quiet', machine, clone)
    await varve(['trust', 'origin'], { cwd: clone, ...options })
    await varve(['pull', '--all'], { cwd: clone, ...options })
    expect(treeOf(clone)).toEqual(treeOf(machine))
    const { exitCode, stdout, stderr } = await runVarve(['verify', '--full'], { cwd: clone, ...options })
    expect(exitCode, stdout + stderr).toBe(0)
    const again = await varveJson<{ packs: number }>(['push', '--all'], { cwd: clone, ...options })
    expect(again.packs).toBe(0)
  }
}

test('four machines push to one folder at the same time, and a fifth pulls', async () => {
  await pushFromManyAtOnce([join(makeFolder(), 'remote')])
}, 120_000)

test('four machines push to one bucket at the same time, and a fifth pulls', async () => {
  const server = await startS3Server()
  try {
    const { accessKeyId, secretAccessKey } = server.credentials
    const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
    const remote = [`s3://${server.bucket}/varve`, '--endpoint-url', server.url, '--region', server.region]
    await pushFromManyAtOnce(remote, { env })
  } finally {
    await server.close()
  }
}, 120_000)
