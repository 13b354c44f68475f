import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { appendFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { FAULTS, type Fault, type FaultWeights } from '../support/faulty-proxy/fault.ts'
import { seededRandom } from '../support/faulty-proxy/seeded-random.ts'
import { startFaultyProxy } from '../support/faulty-proxy.ts'
import { commitAll, git, makeFolder, makeRepository } from '../support/git-fixture.ts'
import { cleanEnvironment, runVarve, varve, varveProgram } from '../support/run-varve.ts'
import { type S3Server, startS3Server } from '../support/s3-server.ts'
import { treeOf } from '../support/tree-of.ts'

/** `npm run sweep:transfers` sets both higher. */
const MEBIBYTES = Number(process.env.VARVE_SWEEP_MEBIBYTES ?? 72)
const KILLS = Number(process.env.VARVE_SWEEP_KILLS ?? 2)
const TIMEOUT_MS = 60_000 + 6_000 * (MEBIBYTES / 16 + KILLS)

let server: S3Server
const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

type Project = { root: string; env: Record<string, string> }

/** Data of which nothing compresses, in one large file and some small ones, tracked and committed. */
async function makeProject(endpointUrl: (server: S3Server) => string | Promise<string>): Promise<Project> {
  server = await startS3Server()
  closers.push(() => server.close())
  const { accessKeyId, secretAccessKey } = server.credentials
  const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  const options = ['--endpoint-url', await endpointUrl(server), '--region', server.region]
  await varve(['remote', 'add', 'origin', `s3://${server.bucket}/varve`, ...options], { cwd: root })
  mkdirSync(join(root, 'data/small'), { recursive: true })
  for (let i = 0; i < MEBIBYTES; i++)
    appendFileSync(join(root, `data/large-${i >> 10}.bin`), randomBytes(1 << 20))
  for (let i = 0; i < 50; i++) writeFileSync(join(root, `data/small/${i}.txt`), `${i}\n`.repeat(1 + i * 50))
  await varve(['add', 'data'], { cwd: root })
  commitAll(root, 'data')
  return { root, env }
}

async function cloneOf({ root, env }: Project): Promise<string> {
  const clone = join(makeFolder(), 'clone')
  git(root, 'clone', '--quiet', root, clone)
  await varve(['trust', 'origin'], { cwd: clone, env })
  return clone
}

/** Runs a command, and kills it once `isTime` is, which sees what the server was asked; whether it was in time. */
async function killed(args: string[], cwd: string, env: Record<string, string>, isTime: () => boolean) {
  server.requests.length = 0
  const child = spawn(process.execPath, [varveProgram, ...args], {
    cwd,
    env: cleanEnvironment(env),
    stdio: 'ignore',
  })
  const ended = once(child, 'close')
  while (child.exitCode === null && !isTime()) await sleep(1)
  child.kill('SIGKILL')
  await ended
  return child.signalCode === 'SIGKILL'
}

/** Names of the packs that lie in a clone's store. */
function packsIn(clone: string): Set<string> {
  const folder = join(clone, '.git/varve/packs')
  const files = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : []
  return new Set(files.flatMap((file) => /([0-9a-f]{64})\.pack$/.exec(file)?.[1] ?? []))
}

function packBytesAtRemote(): number {
  let bytes = 0
  for (const [key, object] of server.objects) if (key.includes('/packs/')) bytes += object.bytes.sizeBytes
  return bytes
}

describe('kill -9 in the middle, again and again', () => {
  test(
    `of a push: ${KILLS} times, and no pack that had arrived is sent again`,
    async () => {
      const project = await makeProject(({ url }) => url)
      const { root, env } = project
      const random = seededRandom(7)
      const mostRequests = 8 + (MEBIBYTES / 64) * 6
      let kills = 0
      while (kills < KILLS) {
        const after = Math.floor((random() * mostRequests * (kills + 1)) / KILLS)
        // The last one comes when something has arrived, or there would be nothing to find again.
        const isLast = kills === KILLS - 1
        const isTime = () => server.requests.length >= after && (!isLast || packBytesAtRemote() > 0)
        if (!(await killed(['push'], root, env, isTime))) break
        kills++
      }
      expect(kills).toBeGreaterThan(0)
      const arrived = packBytesAtRemote()
      await varve(['push'], { cwd: root, env })
      // What is not noise is far less than a pack, so a pack sent twice would show.
      expect(packBytesAtRemote()).toBeLessThan((MEBIBYTES + 4) * 2 ** 20)
      expect(arrived).toBeGreaterThan(0)
      expect(server.uploads.size).toBeLessThanOrEqual(8 * KILLS)
      const clone = await cloneOf(project)
      await varve(['pull'], { cwd: clone, env })
      expect(treeOf(clone)).toEqual(treeOf(root))
    },
    TIMEOUT_MS,
  )

  test.each([['pull'], ['pull', '--no-store']])(
    `of a %s %s: ${KILLS} times, and the next one finishes`,
    async (...args) => {
      const project = await makeProject(({ url }) => url)
      await varve(['push'], { cwd: project.root, env: project.env })
      const clone = await cloneOf(project)
      const random = seededRandom(11)
      const mostRequests = 4 + MEBIBYTES / 64
      const fetchedAgain: string[] = []
      let had = packsIn(clone)
      const note = () => {
        const read = server.requests.flatMap(({ key }) => /([0-9a-f]{64})\.pack$/.exec(key ?? '')?.[1] ?? [])
        fetchedAgain.push(...read.filter((name) => had.has(name)))
        had = packsIn(clone)
      }
      for (let kills = 0; kills < KILLS; kills++) {
        const after = 1 + Math.floor(random() * mostRequests)
        await killed(args, clone, project.env, () => server.requests.length >= after)
        note()
      }
      server.requests.length = 0
      await varve(args, { cwd: clone, env: project.env })
      note()
      expect(fetchedAgain).toEqual([])
      expect(treeOf(clone)).toEqual(treeOf(project.root))
      expect((await varve(['status'], { cwd: clone })).trim()).toMatch(/up to date|nothing|clean|unchanged/i)
    },
    TIMEOUT_MS,
  )
})

describe('a network that fails one request in five', () => {
  const all = Object.fromEntries(FAULTS.map((fault) => [fault, 1])) as Record<Fault, number>

  test(
    `push and pull of ${MEBIBYTES} MiB end with equal bytes`,
    async () => {
      const faults: FaultWeights = all
      let proxy: Awaited<ReturnType<typeof startFaultyProxy>> | undefined
      const project = await makeProject(async ({ port }) => {
        proxy = await startFaultyProxy({ targetPort: port, faults, rate: 0.2, seed: 3, stallMs: 300 })
        closers.push(() => proxy!.close())
        return proxy.url
      })
      await varve(['push'], { cwd: project.root, env: project.env })
      for (const args of [['pull'], ['pull', '--no-store']]) {
        const clone = await cloneOf(project)
        await varve(args, { cwd: clone, env: project.env })
        expect(treeOf(clone)).toEqual(treeOf(project.root))
      }
      expect(proxy!.targetFailures).toBe(0)
      expect(Object.values(proxy!.counts).reduce((sum, count) => sum + count)).toBeGreaterThan(3)
    },
    TIMEOUT_MS,
  )

  test(
    'a byte that arrives wrong is named, and fetched again',
    async () => {
      let proxy: Awaited<ReturnType<typeof startFaultyProxy>> | undefined
      const project = await makeProject(async ({ port }) => {
        proxy = await startFaultyProxy({ targetPort: port, faults: { corrupt: 1 }, rate: 0 })
        closers.push(() => proxy!.close())
        return proxy.url
      })
      await varve(['push'], { cwd: project.root, env: project.env })
      for (const args of [['pull'], ['pull', '--no-store']]) {
        const clone = await cloneOf(project)
        const harmed = new Set<string>()
        // The first answer for each pack, and each part of one, is damaged.
        proxy!.only = (method, url) =>
          method === 'GET' && /\.pack/.test(url) && !harmed.has(url) && !!harmed.add(url)
        proxy!.setRate(1)
        const { exitCode, stderr } = await runVarve(args, { cwd: clone, env: project.env })
        expect(exitCode, stderr).toBe(0)
        expect(stderr).toMatch(/pack [0-9a-f]{64}.*damaged, and was read again/)
        expect(proxy!.counts.corrupt).toBeGreaterThan(0)
        expect(treeOf(clone)).toEqual(treeOf(project.root))
      }
    },
    TIMEOUT_MS,
  )
})
