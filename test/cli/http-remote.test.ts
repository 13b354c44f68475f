import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { hasNginx, startNginx, type WebServer } from '../support/nginx.ts'
import { runVarve, varve, varveJson } from '../support/run-varve.ts'
import { treeOf } from '../support/tree-of.ts'
import { noise } from '../support/versioned-repository.ts'

type Requests = { requests: Record<string, number> }

let server: WebServer | undefined

afterEach(async () => {
  await server?.stop()
  server = undefined
})

/** A repository whose committed remote is the web server; `folder` is what that shows, and what is pushed to. */
async function publish(directives?: string): Promise<{ root: string; folder: string; url: string }> {
  const folder = makeFolder()
  server = await startNginx(folder, directives === undefined ? {} : { directives })
  const url = `${server.url}/photos`
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  writeFiles(root, {
    'data/big.bin': noise('big', 900_000),
    'data/empty.txt': '',
    'data/part/small.txt': 'small\n',
    'other.bin': noise('other', 50_000),
  })
  await varve(['add', 'data', 'other.bin'], { cwd: root })
  await varve(['remote', 'add', 'origin', url], { cwd: root })
  commitAll(root, 'first')
  // Who publishes pushes to the folder itself.
  await varve(['remote', 'set', 'origin', 'url', join(folder, 'photos'), '--local'], { cwd: root })
  await varve(['push'], { cwd: root })
  return { root, folder: join(folder, 'photos'), url }
}

function cloneOf(root: string): string {
  const clone = join(makeFolder(), 'clone')
  git(root, 'clone', '--quiet', root, clone)
  return clone
}

describe.skipIf(!hasNginx)('a remote behind nginx', () => {
  test('gives a clone all that was pushed to its folder, then and later', async () => {
    const { root, folder, url } = await publish()
    const clone = cloneOf(root)
    expect(await varve(['remote', 'list'], { cwd: clone })).toContain(url)
    await varve(['pull'], { cwd: clone })
    expect(treeOf(clone)).toEqual(treeOf(root))
    expect(git(clone, 'status', '--porcelain')).toBe('')

    writeFiles(root, { 'data/part/new.txt': 'new\n' })
    await varve(['add', 'data'], { cwd: root })
    commitAll(root, 'second')
    await varve(['push'], { cwd: root })
    git(clone, 'pull', '--quiet')
    const { requests } = await varveJson<Requests>(['pull'], { cwd: clone })
    expect(treeOf(clone)).toEqual(treeOf(root))
    expect(requests).toMatchObject({ list: 1, write: 0, remove: 0 })
    expect(requests.bytesRead).toBeLessThan(100_000)

    rmSync(join(folder, 'published.json'))
    const fresh = await runVarve(['pull'], { cwd: cloneOf(root) })
    expect(fresh.stderr).toContain('has no published.json')
    expect(fresh.exitCode).toBe(9)
  })

  test('gives a part alone, by ranges', async () => {
    const { root } = await publish()
    const clone = cloneOf(root)
    const pulled = await varveJson<Requests>(['pull', 'data/part'], { cwd: clone })
    const part = Object.entries(treeOf(join(root, 'data'))).filter(([path]) => path.startsWith('part'))
    expect(treeOf(join(clone, 'data'))).toEqual(Object.fromEntries(part))
    expect(pulled.requests.bytesRead).toBeLessThan(100_000)
  })

  test('gives the same from a copy of the folder on another server', async () => {
    const { root, folder } = await publish()
    const mirror = makeFolder()
    cpSync(folder, mirror, { recursive: true })
    await server!.stop()
    server = await startNginx(mirror)
    const clone = cloneOf(root)
    await varve(['remote', 'set', 'origin', 'url', `${server.url}/`, '--local'], { cwd: clone })
    await varve(['pull'], { cwd: clone })
    expect(treeOf(clone)).toEqual(treeOf(root))
  })

  test('takes nothing: a push says where to push instead', async () => {
    const { root, folder } = await publish()
    const clone = cloneOf(root)
    await varve(['pull'], { cwd: clone })
    writeFileSync(join(clone, 'data/more.txt'), 'more\n')
    await varve(['add', 'data'], { cwd: clone })
    const before = readdirSync(folder, { recursive: true }).length
    const { exitCode, stderr } = await runVarve(['push'], { cwd: clone })
    expect(exitCode).toBe(9)
    expect(stderr).toContain('read-only')
    expect(stderr).toContain("folder's own URL")
    expect(readdirSync(folder, { recursive: true })).toHaveLength(before)
  })

  test('that is not the folder of a remote is named', async () => {
    const { root } = await publish()
    const clone = cloneOf(root)
    await varve(['remote', 'set', 'origin', 'url', `${server!.url}/nowhere`, '--local'], { cwd: clone })
    const { exitCode, stderr } = await runVarve(['pull'], { cwd: clone })
    expect(exitCode).toBe(9)
    expect(stderr).toContain(`${server!.url}/nowhere`)
    expect(stderr).not.toMatch(/\n\s+at /)
  })
})

describe.skipIf(!hasNginx)('a remote behind nginx with a password', () => {
  const netrc = (password: string): string => {
    const path = join(makeFolder(), 'netrc')
    writeFileSync(path, `machine 127.0.0.1 login ada password "${password}"\n`)
    return path
  }

  test('is read with that of the user, once the host is trusted, and never shows it', async () => {
    const users = join(makeFolder(), 'users')
    writeFileSync(users, 'ada:{PLAIN}correct horse\n')
    const { root } = await publish(`auth_basic "photos"; auth_basic_user_file ${users};`)
    const clone = cloneOf(root)
    const pull = (env: Record<string, string>) => runVarve(['pull', '-v'], { cwd: clone, env })
    const right = { NETRC: netrc('correct horse') }

    const untrusted = await pull(right)
    expect(untrusted.exitCode).toBe(10)
    expect(untrusted.stderr).toContain('varve trust')

    await varve(['trust', 'origin'], { cwd: clone })
    const unknown = await pull({ NETRC: join(makeFolder(), 'none') })
    expect(unknown.exitCode).toBe(10)
    expect(unknown.stderr).toContain('machine 127.0.0.1')

    const wrong = await pull({ NETRC: netrc('battery staple') })
    expect(wrong.exitCode).toBe(10)
    expect(wrong.stderr).toContain('netrc')
    expect(wrong.stderr + wrong.stdout).not.toMatch(/battery|Basic/)

    const trusted = await pull(right)
    expect(trusted.exitCode).toBe(0)
    expect(trusted.stderr + trusted.stdout).not.toMatch(/horse|Basic/)
    expect(treeOf(clone)).toEqual(treeOf(root))
  })
})
