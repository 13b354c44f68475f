/**
 * Runs the command of its arguments with every S3 server of `versions` beside it, each in a temporary folder and on free
 * ports of the loopback, and ends them after it. VARVE_TEST_S3_SERVERS tells the command what there is, as
 * test/support/real-s3.ts reads it; a server that is not there is named in it, with the reason.
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { constants, homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'varve-ci')
const READY_WITHIN_MS = 120_000
const ENDED_WITHIN_MS = 10_000
const REGION = 'us-east-1'

const able = { atomicIfAbsent: true, manyKeys: 1050, checksCredentials: true, survivesRaces: true }

/**
 * How many ports each takes, and what it can do, as test/support/real-s3.ts has it: of several conditional creations at
 * once, moto and Swift let more than one win; moto believes every signature, and answers 500 to some of several writers
 * of one key. `manyKeys` is more than a page of its listing. A guest is a user without a right.
 */
const kinds = {
  minio: { title: 'MinIO', ports: 2, user: 'varvetest', abilities: able },
  moto: {
    title: 'moto',
    ports: 1,
    user: 'varvetest',
    abilities: { ...able, atomicIfAbsent: false, checksCredentials: false, survivesRaces: false },
  },
  swift: {
    title: 'Swift',
    ports: 4,
    user: 'varvetest:tester',
    guest: 'varvetest:guest',
    abilities: { ...able, atomicIfAbsent: false, manyKeys: 130 },
  },
  versitygw: { title: 'versitygw', ports: 1, user: 'varvetest', guest: 'varveguest', abilities: able },
}

const [command, ...words] = process.argv.slice(2)
if (command === undefined) {
  console.error('usage: .ci/servers/run COMMAND...')
  process.exit(2)
}

const temporary = mkdtempSync(join(tmpdir(), 'varve-servers-'))
/** What was started, to be ended. */
const started = []
let running
let signalled
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    signalled = signal
    running?.kill(signal)
  })
}

try {
  const servers = await startAll()
  process.exitCode = signalled === undefined ? await runCommand(servers) : numberOf(signalled)
} finally {
  await Promise.all(started.map(end))
  rmSync(temporary, { recursive: true, force: true, maxRetries: 5 })
}

async function startAll() {
  const versions = readFileSync(join(here, 'versions'), 'utf8').trimEnd().split('\n')
  const ports = await freePorts(Object.values(kinds).reduce((sum, kind) => sum + kind.ports, 0))
  return Promise.all(
    versions.map((line) => {
      const [id, version] = line.split(' ')
      return start({ id, version, ports: ports.splice(0, kinds[id].ports) })
    }),
  )
}

async function start({ id, version, ports }) {
  const { title: name, user: accessKeyId, guest: guestKeyId, abilities } = kinds[id]
  const place = join(cache, `${id}-${version}`)
  if (!existsSync(join(place, 'complete'))) {
    return failed({
      name,
      version,
      reason: `.ci/servers/install has not installed it; its log ends with\n${endOf(`${place}.log`)}`,
    })
  }
  const folder = join(temporary, id)
  mkdirSync(folder)
  const secretAccessKey = randomUUID()
  const guest = guestKeyId && { accessKeyId: guestKeyId, secretAccessKey: randomUUID() }
  const script = [join(here, `start-${id}`), place, folder, ...ports.map(String)]
  // Where there is setpriv, nothing outlives this process, not even where it is killed.
  const [program, ...args] = existsSync('/usr/bin/setpriv')
    ? ['setpriv', '--pdeathsig', 'TERM', ...script]
    : script
  const child = spawn(program, args, {
    stdio: 'ignore',
    env: {
      ...process.env,
      S3_ACCESS_KEY: accessKeyId,
      S3_SECRET_KEY: secretAccessKey,
      S3_REGION: REGION,
      ...(guest && { S3_GUEST_ACCESS_KEY: guest.accessKeyId, S3_GUEST_SECRET_KEY: guest.secretAccessKey }),
    },
  })
  const server = { child, hasEnded: false }
  server.ended = new Promise((resolve) => {
    for (const event of ['exit', 'error']) child.once(event, resolve)
  }).then(() => {
    server.hasEnded = true
  })
  started.push(server)

  const endpointUrl = `http://127.0.0.1:${ports[0]}`
  const problem = await waitUntilReady(server, endpointUrl)
  if (problem !== undefined) {
    return failed({ name, version, reason: `${problem}; its log ends with\n${endOf(join(folder, 'log'))}` })
  }
  return { name, version, endpointUrl, region: REGION, accessKeyId, secretAccessKey, guest, abilities }
}

/** Ready is what answers anything but an error of its own; gives what is wrong. */
async function waitUntilReady(server, endpointUrl) {
  const until = Date.now() + READY_WITHIN_MS
  while (Date.now() < until && signalled === undefined) {
    if (server.hasEnded) return 'it ended at once'
    try {
      const response = await fetch(endpointUrl, { signal: AbortSignal.timeout(5000) })
      await response.arrayBuffer()
      if (response.status < 500) return undefined
    } catch {
      // Not yet.
    }
    await sleep(100)
  }
  return signalled ?? `it was not ready after ${READY_WITHIN_MS / 1000} s`
}

function failed({ name, version, reason }) {
  console.error(`${name} ${version} is not there: ${reason}`)
  return { name, version, failure: reason }
}

function endOf(log) {
  try {
    return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-12).join('\n')
  } catch {
    return '(no log)'
  }
}

async function runCommand(servers) {
  const there = servers.filter((server) => server.failure === undefined)
  console.error(`S3 servers: ${there.map(({ name, version }) => `${name} ${version}`).join(', ') || 'none'}`)
  running = spawn(command, words, {
    stdio: 'inherit',
    env: { ...process.env, VARVE_TEST_S3_SERVERS: JSON.stringify(servers) },
  })
  return new Promise((resolve) => {
    running.once('error', (error) => {
      console.error(`${command} cannot be run: ${error.message}`)
      resolve(127)
    })
    running.once('exit', (code, signal) => resolve(code ?? numberOf(signal)))
  })
}

function numberOf(signal) {
  return 128 + constants.signals[signal]
}

async function end({ child, ended }) {
  child.kill('SIGTERM')
  const inTime = await Promise.race([ended.then(() => true), sleep(ENDED_WITHIN_MS, false, { ref: false })])
  if (!inTime) child.kill('SIGKILL')
  await ended
}

/** Ports that nobody has now. */
async function freePorts(count) {
  const holders = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise((resolve, reject) => {
          const holder = createServer()
          holder.once('error', reject)
          holder.listen(0, '127.0.0.1', () => resolve(holder))
        }),
    ),
  )
  const ports = holders.map((holder) => holder.address().port)
  await Promise.all(holders.map((holder) => new Promise((resolve) => holder.close(resolve))))
  return ports
}
