import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, describe, expect, it, test } from 'vitest'
import { confirmOnTerminal } from '../../cli/confirm-on-terminal.ts'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { cleanEnvironment, runVarve, varve, varveJson, varveProgram } from '../support/run-varve.ts'

type Listed = {
  remotes: { name: string; kind: string; origin: string; source: string; for: string; trusted: boolean }[]
  unused: { kind: string; origin: string }[]
}
type Failure = { error: { code: string; message: string; hint: string } }

const KEY_ID = 'TRUSTTESTKEY'
const servers: Server[] = []

afterEach(async () => {
  await Promise.all(
    servers.splice(0).map((server) => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    }),
  )
})

/** A server that refuses everybody, and what it was shown. */
async function startRefusing(status: number, headers: Record<string, string> = {}) {
  const shown: (string | undefined)[] = []
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    shown.push(request.headers.authorization)
    request.resume()
    request.on('end', () => response.writeHead(status, headers).end())
  }
  const server = createServer(answer).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, shown }
}

/** What a clone of somebody else's repository is: everything in varve.yaml is their word. */
async function cloneWith(lines: readonly string[]): Promise<string> {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  writeFiles(root, { a: 'a' })
  await varve(['add', 'a'], { cwd: root })
  nameRemote(root, lines)
  commitAll(root, 'start')
  return root
}

function nameRemote(root: string, lines: readonly string[]): void {
  const head = readFileSync(join(root, 'varve.yaml'), 'utf8').replace(/remotes:[\s\S]*/, '')
  const settings = lines.map((line) => `    ${line}\n`).join('')
  writeFiles(root, { 'varve.yaml': `${head}remotes:\n  origin:\n${settings}` })
}

/** Credentials that are to be kept, and nothing else of the user's. */
const home = {
  HOME: '/nonexistent',
  AWS_ACCESS_KEY_ID: KEY_ID,
  AWS_SECRET_ACCESS_KEY: 'not-a-secret',
  AWS_EC2_METADATA_DISABLED: 'true',
}

const listed = (root: string) => varveJson<Listed>(['trust'], { cwd: root })

async function failureOf(args: string[], cwd: string, env: Record<string, string> = home): Promise<Failure> {
  const { stdout, exitCode } = await runVarve([...args, '--json'], { cwd, env })
  expect(exitCode).not.toBe(0)
  return JSON.parse(stdout) as Failure
}

test('a committed endpoint is shown nothing before it is trusted, and asked for every verb', async () => {
  const { url, shown } = await startRefusing(403)
  const root = await cloneWith(['url: s3://bucket/photos', `endpointUrl: ${url}`])
  rmSync(join(root, '.git/varve/packs'), { recursive: true })
  rmSync(join(root, '.git/varve/index'), { recursive: true })
  for (const command of [['push', 'a'], ['fetch'], ['pull'], ['remote', 'test']]) {
    const { exitCode, stderr } = await runVarve(command, { cwd: root, env: home })
    expect({ command, exitCode }).toEqual({ command, exitCode: 9 })
    expect(stderr).toBe(
      `varve: the remote origin is at ${url}: varve.yaml says so, and this clone does not trust that place\n` +
        'hint: If you know it, run `varve trust origin`: your keys or credentials will be used there.\n',
    )
  }
  expect((await failureOf(['push'], root)).error.code).toBe('NOT_TRUSTED')
  expect(shown).toEqual([])
  expect(await listed(root)).toEqual({
    remotes: [{ name: 'origin', kind: 's3', origin: url, source: 'committed', for: 'all', trusted: false }],
    unused: [],
  })

  expect(await varveJson(['trust', 'origin'], { cwd: root })).toEqual({
    ...{ name: 'origin', kind: 's3', origin: url, trusted: true },
  })
  expect((await listed(root)).remotes[0]?.trusted).toBe(true)
  expect(git(root, 'status', '--porcelain')).toBe('')
  expect((await failureOf(['push'], root)).error.code).not.toBe('NOT_TRUSTED')
  expect(shown.length).toBeGreaterThan(0)
  expect(shown[0]).toContain(KEY_ID)
})

test('another host, port, scheme or kind under the same name is asked about again', async () => {
  const { url, shown } = await startRefusing(403)
  const other = await startRefusing(403)
  const root = await cloneWith(['url: s3://bucket/photos', `endpointUrl: ${url}`])
  await varve(['trust', 'origin'], { cwd: root })
  for (const lines of [
    ['url: s3://bucket/photos', `endpointUrl: ${other.url}`],
    ['url: s3://bucket/photos', `endpointUrl: ${url.replace('http', 'https')}`],
    ['url: s3://bucket/photos', `endpointUrl: ${url.replace('127.0.0.1', 'localhost')}`],
    [`url: ssh://${url.slice('http://'.length)}/photos`],
  ]) {
    nameRemote(root, lines)
    expect((await failureOf(['push'], root)).error.code).toBe('NOT_TRUSTED')
  }
  expect([shown, other.shown]).toEqual([[], []])
  // Another bucket and prefix at the same place: it is the host that sees credentials.
  nameRemote(root, ['url: s3://other/x', `endpointUrl: ${url}/`])
  expect((await failureOf(['push'], root)).error.code).not.toBe('NOT_TRUSTED')
  expect(other.shown).toEqual([])
})

test('a web server may be read before, but is given no password', async () => {
  const { url, shown } = await startRefusing(401, { 'www-authenticate': 'Basic realm="x"' })
  const root = await cloneWith([`url: ${url}/photos`])
  const folder = makeFolder()
  writeFiles(folder, { netrc: 'machine 127.0.0.1 login ada password not-a-secret\n' })
  const env = { ...home, NETRC: join(folder, 'netrc') }
  const { error } = await failureOf(['remote', 'test'], root, env)
  expect(error.code).not.toBe('NOT_TRUSTED')
  expect(shown.length).toBeGreaterThan(0)
  expect(shown.filter((header) => header !== undefined)).toEqual([])
  expect((await listed(root)).remotes).toEqual([
    { name: 'origin', kind: 'http', origin: url, source: 'committed', for: 'credentials', trusted: false },
  ])
  await varve(['trust', 'origin'], { cwd: root })
  await failureOf(['remote', 'test'], root, env)
  expect(shown.filter((header) => header !== undefined)).not.toEqual([])
})

test('what the user types is trusted in this clone, and in no other', async () => {
  const root = await cloneWith(['url: /srv/photos'])
  const add = (...args: string[]) => varve(['remote', 'add', ...args], { cwd: root })
  await add('one', 's3://bucket/x', '--endpoint-url', 'https://one.example')
  await add('two', 'ssh://me@two.example:2222/x')
  await add('three', 'https://three.example/x')
  await add('amazon', 's3://bucket/x', '--region', 'eu-central-1')
  await varve(['remote', 'set', 'amazon', 'endpointUrl', 'https://four.example'], { cwd: root })
  await varve(['config', 'remotes.origin.url', 'ssh://five.example/x'], { cwd: root })
  expect((await listed(root)).remotes.map(({ name, origin, trusted }) => [name, origin, trusted])).toEqual([
    ['origin', 'ssh://five.example', true],
    ['one', 'https://one.example', true],
    ['two', 'ssh://me@two.example:2222', true],
    ['three', 'https://three.example', true],
    ['amazon', 'https://four.example', true],
  ])
  commitAll(root, 'remotes')

  const clone = join(makeFolder(), 'clone')
  git(root, 'clone', '--quiet', root, clone)
  expect((await listed(clone)).remotes.filter(({ trusted }) => trusted)).toEqual([])
  // A worktree belongs to the clone.
  const worktree = join(makeFolder(), 'worktree')
  git(root, 'worktree', 'add', '--quiet', worktree)
  expect((await listed(worktree)).remotes.filter(({ trusted }) => !trusted)).toEqual([])
})

test('setting something else of a remote trusts nothing', async () => {
  const root = await cloneWith(['url: s3://bucket/x', 'endpointUrl: https://evil.example'])
  await varve(['remote', 'set', 'origin', 'region', 'eu-central-1'], { cwd: root })
  await varve(['remote', 'set', 'origin', 'url', 's3://bucket/y'], { cwd: root })
  await varve(['config', 'remotes.origin.profile', 'work', '--local'], { cwd: root })
  await varve(['remote', 'add', 'other', '/srv/x'], { cwd: root })
  expect((await listed(root)).remotes).toMatchObject([{ name: 'origin', trusted: false }])
  expect(existsSync(join(root, '.git/varve/trusted-places'))).toBe(false)
})

test('a place in the config of this clone needs no trust; one in varve.yaml beside it does', async () => {
  const root = await cloneWith(['url: s3://bucket/x', 'endpointUrl: https://evil.example'])
  const set = (...args: string[]) => varve(['remote', 'set', 'origin', ...args, '--local'], { cwd: root })
  await set('url', 's3://mine/x')
  expect((await listed(root)).remotes).toMatchObject([{ source: 'committed', trusted: false }])
  await set('endpointUrl', 'https://mine.example')
  expect((await listed(root)).remotes).toMatchObject([
    { origin: 'https://mine.example', source: 'local', trusted: true },
  ])
  expect(existsSync(join(root, '.git/varve/trusted-places'))).toBe(false)
  expect(await varve(['trust'], { cwd: root })).toBe(
    'origin  https://mine.example  trusted: set in this clone\n',
  )
  // It was trusted as a local setting: as a committed one it is not.
  await set('endpointUrl', '--unset')
  nameRemote(root, ['url: s3://bucket/x', 'endpointUrl: https://mine.example'])
  expect((await listed(root)).remotes).toMatchObject([{ trusted: false }])
})

test('trust is taken back by remote, by place, and altogether', async () => {
  const root = await cloneWith(['url: /srv/photos'])
  for (const host of ['a', 'b', 'c']) {
    await varve(['remote', 'add', host, `ssh://${host}.example/x`], { cwd: root })
  }
  const removed = await varveJson(['trust', 'a', '--remove'], { cwd: root })
  expect(removed).toEqual({ removed: [{ kind: 'ssh', origin: 'ssh://a.example' }] })
  expect((await failureOf(['push', '-r', 'a'], root)).error.code).toBe('NOT_TRUSTED')
  await varve(['remote', 'remove', 'b'], { cwd: root })
  expect((await listed(root)).unused).toEqual([{ kind: 'ssh', origin: 'ssh://b.example' }])
  await varve(['trust', 'ssh://b.example', '--remove'], { cwd: root })
  expect((await listed(root)).unused).toEqual([])
  expect((await runVarve(['trust', 'a', '--remove'], { cwd: root })).exitCode).toBe(1)
  await varve(['trust', '--remove', '--all'], { cwd: root })
  expect((await listed(root)).remotes.filter(({ trusted }) => trusted)).toEqual([])
})

test('a remote that needs no trust says so, and what makes no sense is refused', async () => {
  const root = await cloneWith(['url: s3://bucket/photos'])
  expect(await varve(['trust', 'origin'], { cwd: root })).toContain('needs no trust')
  const none = await runVarve(['trust'], { cwd: root })
  expect(none).toMatchObject({ exitCode: 0, stdout: '', stderr: expect.stringContaining('No remote') })
  const codeOf = async (...args: string[]) => (await runVarve(['trust', ...args], { cwd: root })).exitCode
  expect(await codeOf('orign')).toBe(1)
  expect(await codeOf('--all')).toBe(2)
  expect(await codeOf('--remove')).toBe(2)
  expect(await codeOf('origin', '--remove', '--all')).toBe(2)
})

test('a place without encryption is trusted with a warning', async () => {
  const root = await cloneWith(['url: s3://bucket/x', 'endpointUrl: http://plain.example:9000'])
  const { stderr } = await runVarve(['trust', 'origin'], { cwd: root })
  expect(stderr).toContain('http://plain.example:9000 is not encrypted')
  const added = await runVarve(
    ['remote', 'add', 'near', 's3://bucket/x', '--endpoint-url', 'http://localhost:1'],
    {
      cwd: root,
    },
  )
  expect(added).toMatchObject({ exitCode: 0, stderr: '' })
})

describe('the question', () => {
  const hasPty = spawnSync('script', ['--version']).status === 0

  /** Runs it on a terminal of its own, and types. */
  async function onTerminal(args: string[], typed: string, cwd: string): Promise<string> {
    const line = [process.execPath, varveProgram, ...args].map((word) => `'${word}'`).join(' ')
    const child = spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
      cwd,
      env: { ...cleanEnvironment(home), TERM: 'dumb' },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    let shown = ''
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', (text: string) => {
      if (shown.includes('[y/N]') === false && (shown + text).includes('[y/N]')) child.stdin.write(typed)
      shown += text
    })
    await once(child, 'close')
    return shown
  }

  it.skipIf(!hasPty)('is asked once on a terminal, and the answer yes is remembered', async () => {
    const { url, shown } = await startRefusing(403)
    const root = await cloneWith(['url: s3://bucket/photos', `endpointUrl: ${url}`])
    const refused = await onTerminal(['push'], '\n', root)
    expect(refused).toContain(`The remote origin is at ${url}`)
    expect(refused).toContain('Trust it? [y/N]')
    expect(refused).toContain('hint: If you know it')
    expect(shown).toEqual([])
    const accepted = await onTerminal(['push'], 'yes\n', root)
    expect(accepted).not.toContain('hint: If you know it')
    expect(shown.length).toBeGreaterThan(0)
    expect((await listed(root)).remotes[0]?.trusted).toBe(true)
    expect(await onTerminal(['push'], '', root)).not.toContain('[y/N]')
  })

  const terminal = () => ({
    stdin: Object.assign(new PassThrough(), { isTTY: true }),
    stderr: Object.assign(new PassThrough(), { isTTY: true }),
  })
  const { signal } = new AbortController()

  it.each([
    ['y\n', true],
    ['YES\r\n', true],
    [' y \n', true],
    ['\n', false],
    ['n\n', false],
    ['yeah\n', false],
    ['no\ny\n', false],
  ])('takes %j for %s', async (typed, expected) => {
    const { stdin, stderr } = terminal()
    stdin.write(typed)
    expect(await confirmOnTerminal('Trust it?', signal, { stdin, stderr })).toBe(expected)
    expect(String(stderr.read())).toBe('Trust it? [y/N] ')
  })

  it('takes the end of the input for no', async () => {
    const { stdin, stderr } = terminal()
    stdin.end()
    expect(await confirmOnTerminal('Trust it?', signal, { stdin, stderr })).toBe(false)
  })

  it('is not asked where either side is no terminal', async () => {
    for (const side of ['stdin', 'stderr'] as const) {
      const streams = terminal()
      streams[side].isTTY = false
      streams.stdin.write('y\n')
      expect(await confirmOnTerminal('Trust it?', signal, streams)).toBeUndefined()
      expect(streams.stderr.read()).toBeNull()
    }
  })

  it('is ended by Ctrl-C', async () => {
    const controller = new AbortController()
    const { stdin, stderr } = terminal()
    const asking = confirmOnTerminal('Trust it?', controller.signal, { stdin, stderr })
    controller.abort()
    await expect(asking).rejects.toMatchObject({ code: 'INTERRUPTED' })
    await expect(confirmOnTerminal('?', controller.signal, { stdin, stderr })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    })
  })
})
