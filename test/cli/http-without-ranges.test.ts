import { once } from 'node:events'
import { createReadStream, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { runVarve, varve, varveJson } from '../support/run-varve.ts'
import { treeOf } from '../support/tree-of.ts'
import { noise } from '../support/versioned-repository.ts'

let server: Server | undefined

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
  server = undefined
})

/** As the simplest servers do it: all of a file, whatever part is asked for, and a connection for each. */
async function showFolder(folder: string): Promise<{ url: string; refuse: (statusCode: number) => void }> {
  let refusal: number | undefined
  server = createServer((request, response) => {
    const path = join(folder, request.url!)
    const sizeBytes = statSync(path, { throwIfNoEntry: false })?.size
    const statusCode = refusal ?? (sizeBytes === undefined ? 404 : 200)
    response.setHeader('connection', 'close')
    if (statusCode !== 200) {
      response.writeHead(statusCode).end()
      return
    }
    response.writeHead(200, { 'content-length': sizeBytes })
    if (request.method === 'HEAD') response.end()
    else createReadStream(path).pipe(response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refuse: (statusCode) => {
      refusal = statusCode
    },
  }
}

/** A clone whose remote is such a server, and the repository that publishes. */
async function publish() {
  const folder = makeFolder()
  const shown = await showFolder(folder)
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  writeFiles(root, {
    'data/a.bin': noise('a', 3_000_000),
    'data/b.bin': noise('b', 3_000_000),
    'data/c/small.txt': noise('c', 100_000),
  })
  await varve(['add', 'data'], { cwd: root })
  await varve(['remote', 'add', 'origin', shown.url], { cwd: root })
  commitAll(root, 'first')
  await varve(['remote', 'set', 'origin', 'url', folder, '--local'], { cwd: root })
  await varve(['push'], { cwd: root })
  const clone = join(makeFolder(), 'clone')
  git(root, 'clone', '--quiet', root, clone)
  return { ...shown, root, clone }
}

type Tested = { checks: { check: string; outcome: string; note: string | null }[]; probeBytes: number }

test('a server without byte ranges is limited to whole packs: the test says so, and a pull of a part what to do', async () => {
  const { root, clone } = await publish()
  const { checks, probeBytes } = await varveJson<Tested>(['remote', 'test'], { cwd: clone })
  const found = Object.fromEntries(checks.map(({ check, outcome, note }) => [check, { outcome, note }]))
  expect(found.range).toEqual({ outcome: 'limited', note: 'only whole packs: the server ignores ranges' })
  expect([found.throughput!.outcome, found.parallel!.outcome]).toEqual(['passed', 'skipped'])
  expect(probeBytes).toBeGreaterThan(6_000_000)

  const part = await runVarve(['pull', 'data/c'], { cwd: clone })
  expect(part.stderr).toContain('has no byte ranges')
  expect(part.stderr).toContain('Turn byte ranges on at the server, or try plain `varve pull`')
  expect(part.stderr).not.toMatch(/\n\s+at /)
  expect(part.exitCode).toBe(9)

  await varve(['pull'], { cwd: clone })
  expect(treeOf(clone)).toEqual(treeOf(root))
})

test('a push to a web server is refused, also one that would only tell what it sends', async () => {
  const { clone } = await publish()
  await varve(['pull'], { cwd: clone })
  for (const words of [['push'], ['push', '-n'], ['push', '--dry-run', '--json']]) {
    const { exitCode, stderr } = await runVarve(words, { cwd: clone })
    expect([words, exitCode]).toEqual([words, 9])
    expect(stderr).toContain('read-only')
  }
})

test.each([401, 403])(
  'a server that answers %i ends with the exit code of a missing permission',
  async (status) => {
    const { clone, refuse } = await publish()
    refuse(status)
    for (const words of [['pull'], ['fetch'], ['remote', 'test']]) {
      const { exitCode, stderr } = await runVarve(words, { cwd: clone })
      expect([words, exitCode]).toEqual([words, 10])
      expect(stderr).toContain(`(${status})`)
    }
  },
)
