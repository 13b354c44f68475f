import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { git, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { cleanEnvironment, varve, varveProgram } from '../support/run-varve.ts'
import { treeOf } from '../support/tree-of.ts'
import { noise } from '../support/versioned-repository.ts'

/** A project in which an `add data` takes seconds: its size is nearly all hole. */
async function makeProject(): Promise<{ root: string; unfinished: () => string[] }> {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  writeFiles(root, { before: 'before' })
  await varve(['add', 'before'], { cwd: root })
  mkdirSync(join(root, 'data'))
  for (const name of ['a', 'b', 'c']) {
    writeFileSync(join(root, 'data', name), noise(name, 100_000))
    truncateSync(join(root, 'data', name), 2 ** 32)
  }
  const folder = join(root, '.git/varve/tmp')
  return { root, unfinished: () => (existsSync(folder) ? readdirSync(folder) : []) }
}

/** Starts the add, and waits until it has begun to write. */
async function startAdd(
  root: string,
  unfinished: () => string[],
): Promise<{ child: ChildProcess; ended: Promise<unknown[]>; said: () => string }> {
  const child = spawn(process.execPath, [varveProgram, 'add', 'data'], {
    cwd: root,
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream!.on('data', (bytes: Buffer) => (text += bytes))
  const ended = once(child, 'close')
  while (unfinished().length === 0) {
    if (child.exitCode !== null) throw new Error(`it ended before it wrote: ${text}`)
    await sleep(5)
  }
  return { child, ended, said: () => text }
}

async function expectUnharmed(root: string, before: unknown): Promise<void> {
  expect(treeOf(join(root, '.git/varve/packs'))).toMatchObject(before as object)
  expect(git(root, 'status', '--porcelain', '--', 'data.varve')).toBe('')
  expect(existsSync(join(root, 'data.varve'))).toBe(false)
  truncateSync(join(root, 'data/a'), 100_000)
  truncateSync(join(root, 'data/b'), 100_000)
  truncateSync(join(root, 'data/c'), 100_000)
  await varve(['add', 'data'], { cwd: root })
  await varve(['verify', '--full'], { cwd: root })
  expect(await varve(['cat', 'before'], { cwd: root })).toBe('before')
}

describe('a long add', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'that %s ends leaves nothing half done, and goes again',
    async (signal) => {
      const { root, unfinished } = await makeProject()
      const before = treeOf(join(root, '.git/varve/packs'))
      const { child, ended, said } = await startAdd(root, unfinished)
      child.kill(signal)
      expect(await ended).toEqual([130, null])
      expect(said()).toBe('varve: interrupted\nhint: Run the command again: what was finished is kept.\n')
      expect(unfinished()).toEqual([])
      await expectUnharmed(root, before)
    },
  )

  it('that is killed leaves files that the next run removes', async () => {
    const { root, unfinished } = await makeProject()
    const before = treeOf(join(root, '.git/varve/packs'))
    const { child, ended } = await startAdd(root, unfinished)
    child.kill('SIGKILL')
    expect(await ended).toEqual([null, 'SIGKILL'])
    expect(unfinished().length).toBeGreaterThan(0)
    await expectUnharmed(root, before)
    expect(unfinished()).toEqual([])
  })
})

it.each(['SIGINT', 'SIGTERM'] as const)(
  'a pull from a host that says nothing ends at %s',
  async (signal) => {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => void sockets.add(socket.on('error', () => undefined)))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    try {
      const root = makeRepository()
      await varve(['init'], { cwd: root })
      writeFiles(root, { 'data.txt': 'data' })
      await varve(['add', 'data.txt'], { cwd: root })
      await varve(['remote', 'add', 'origin', `http://127.0.0.1:${port}/data`], { cwd: root })
      rmSync(join(root, '.git/varve/packs'), { recursive: true })
      rmSync(join(root, '.git/varve/index'), { recursive: true })
      rmSync(join(root, 'data.txt'))
      const child = spawn(process.execPath, [varveProgram, 'pull'], {
        cwd: root,
        env: cleanEnvironment(),
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let text = ''
      child.stderr!.on('data', (bytes: Buffer) => (text += bytes))
      const ended = once(child, 'close')
      while (sockets.size === 0 && child.exitCode === null) await sleep(5)
      child.kill(signal)
      expect(await ended).toEqual([130, null])
      expect(text).toMatch(/^varve: interrupted/)
    } finally {
      for (const socket of sockets) socket.destroy()
      server.close()
    }
  },
  15_000,
)
