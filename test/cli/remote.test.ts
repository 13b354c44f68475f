import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { requiredServer } from '../support/required-server.ts'
import { runVarve, varve, varveJson } from '../support/run-varve.ts'
import { hasSshd, startSshd } from '../support/sshd.ts'

type Setting = { value: string; source: string }
type List = {
  remotes: {
    name: string
    url: string | null
    source: string | null
    settings: Record<string, Setting>
    default: boolean
  }[]
}

async function project(): Promise<string> {
  const root = makeRepository()
  mkdirSync(join(root, 'sub'))
  await varve(['init'], { cwd: root })
  git(root, 'commit', '--quiet', '--message', 'init')
  return root
}

const shared = (root: string) => readFileSync(join(root, 'varve.yaml'), 'utf8')
const local = (root: string) => readFileSync(join(root, '.git/varve/config.yaml'), 'utf8')
const list = async (root: string) => (await varveJson<List>(['remote', 'list'], { cwd: root })).remotes

test('the first remote is the default; a relative path is stored from the root; varve.yaml is staged', async () => {
  const root = await project()
  const added = await varveJson(['remote', 'add', 'origin', '../../photos'], { cwd: join(root, 'sub') })
  expect(added).toEqual({
    name: 'origin',
    url: '../photos',
    source: 'committed',
    settings: {},
    default: true,
  })
  await varve(['remote', 'add', 'backup', 'file:///srv/backup'], { cwd: root })
  expect(shared(root)).toMatch(
    /\nremotes:\n {2}origin:\n {4}url: ..\/photos\n {2}backup:\n {4}url: file:\/\/\/srv\/backup\ndefault: origin\n$/,
  )
  expect(git(root, 'status', '--porcelain')).toBe('M  varve.yaml')
  expect(await list(root)).toEqual([
    { name: 'origin', url: '../photos', source: 'committed', settings: {}, default: true },
    { name: 'backup', url: 'file:///srv/backup', source: 'committed', settings: {}, default: false },
  ])
  expect(await varve(['remote', 'list'], { cwd: root })).toBe(
    '*  origin  ../photos\n   backup  file:///srv/backup\n',
  )
})

test('--default, --local and --no-stage', async () => {
  const root = await project()
  await varve(['remote', 'add', 'origin', '/srv/a', '--no-stage'], { cwd: root })
  expect(git(root, 'status', '--porcelain')).toBe(' M varve.yaml')
  await varve(['remote', 'add', 'second', '/srv/b', '--default'], { cwd: root })
  expect(shared(root)).toContain('default: second')
  const before = shared(root)
  const mine = await varveJson(['remote', 'add', 'mine', '../mine', '--local', '--default'], { cwd: root })
  expect(mine).toEqual({
    name: 'mine',
    url: join(root, '../mine'),
    source: 'local',
    settings: {},
    default: true,
  })
  expect(shared(root)).toBe(before)
  expect(local(root)).toBe(`remotes:\n  mine:\n    url: ${join(root, '../mine')}\ndefault: mine\n`)
})

test('what cannot be added changes nothing', async () => {
  const root = await project()
  await varve(['remote', 'add', 'origin', '/srv/a'], { cwd: root })
  const before = shared(root)
  const refused = async (args: string[]) => {
    const { exitCode, stderr } = await runVarve(['remote', 'add', ...args], { cwd: root })
    expect(shared(root)).toBe(before)
    return { exitCode, stderr }
  }
  expect(await refused(['origin', '/srv/b'])).toEqual({
    exitCode: 1,
    stderr: expect.stringMatching(/origin already: \/srv\/a\nhint: .*varve remote set origin url URL`/),
  })
  expect((await refused(['origin', '/srv/b', '--local'])).stderr).toContain('--local')
  expect(await refused(['a b', '/srv/b'])).toEqual({
    exitCode: 2,
    stderr: expect.stringMatching(/^varve: remote add: not a name for a remote: "a b"\nhint: /),
  })
  expect((await refused(['b', 'gopher://x'])).exitCode).toBe(2)
  const secret = await refused(['b', 'https://ada:hunter2@host/x'])
  expect(secret.exitCode).toBe(2)
  expect(secret.stderr).not.toContain('hunter2')
  expect((await refused(['b'])).exitCode).toBe(2)
})

test('set changes a remote, for all or for this clone; unsetting goes back', async () => {
  const root = await project()
  await varve(['remote', 'add', 'origin', '/srv/a'], { cwd: root })
  await varve(['remote', 'set', 'origin', 'url', '../b'], { cwd: root })
  expect(shared(root)).toContain('url: ../b')
  const before = shared(root)
  await varve(['remote', 'set', 'origin', 'url', '/mnt/mirror', '--local'], { cwd: root })
  expect(shared(root)).toBe(before)
  expect(await list(root)).toEqual([
    { name: 'origin', url: '/mnt/mirror', source: 'local', settings: {}, default: true },
  ])
  expect(await varve(['remote', 'list'], { cwd: root })).toContain('(this clone)')
  expect(await varveJson(['remote', 'set', 'origin', 'url', '--unset', '--local'], { cwd: root })).toEqual({
    name: 'origin',
    key: 'url',
    value: null,
    source: 'local',
  })
  expect(await list(root)).toEqual([
    { name: 'origin', url: '../b', source: 'committed', settings: {}, default: true },
  ])

  const codeOf = async (args: string[]) =>
    (await runVarve(['remote', 'set', ...args], { cwd: root })).exitCode
  expect(await codeOf(['origin', 'url', '--local'])).toBe(1)
  expect(await codeOf(['origin', 'url'])).toBe(2)
  expect(await codeOf(['origin', 'url', 'x', '--unset'])).toBe(2)
  expect(await codeOf(['origin', 'ulr', 'x'])).toBe(2)
  expect(await codeOf(['orign', 'url', 'x'])).toBe(1)
  expect(shared(root)).toBe(before)
})

test('set warns of a value of this clone that stands before the one that was set', async () => {
  const root = await project()
  await varve(['remote', 'add', 'origin', 's3://bucket/x', '--region', 'eu-west-1'], { cwd: root })
  const warningOf = async (...words: string[]) => {
    const { stderr, exitCode } = await runVarve(['remote', 'set', 'origin', ...words], { cwd: root })
    expect(exitCode).toBe(0)
    return stderr
  }
  expect(await warningOf('region', 'eu-west-2')).toBe('')
  expect(await warningOf('region', 'eu-west-3', '--local')).toBe('')
  const warning = 'warning: this clone has a region of its own for origin, eu-west-3; --local changes it\n'
  expect(await warningOf('region', 'eu-north-1')).toBe(warning)
  expect(await warningOf('region', '--unset')).toBe(warning)
  expect(await warningOf('region', '--unset', '--local')).toBe('')
})

test('the web address of a bucket is taken, with a word about what it is not', async () => {
  const root = await project()
  const added = await runVarve(['remote', 'add', 'origin', 'https://b.s3.eu-west-3.amazonaws.com/p'], {
    cwd: root,
  })
  expect(added).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining('did you mean s3://b/p?\n'),
  })
  const set = await runVarve(['remote', 'set', 'origin', 'url', 'https://s3.amazonaws.com/b/p'], {
    cwd: root,
  })
  expect(set).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('did you mean s3://b/p?\n') })
  const other = await runVarve(['remote', 'add', 'other', 'https://data.example.org/p'], { cwd: root })
  expect(other).toMatchObject({ exitCode: 0, stderr: '' })
})

test('add and set take what S3 needs to know, and list shows it', async () => {
  const root = await project()
  const added = await varveJson(
    [
      ...['remote', 'add', 'origin', 's3://bucket/photos', '--endpoint-url', 'https://minio.example:9000'],
      ...['--region', 'eu-central-1', '--profile', 'work'],
    ],
    { cwd: root },
  )
  const settings = { endpointUrl: 'https://minio.example:9000', region: 'eu-central-1', profile: 'work' }
  expect(added).toEqual({
    ...{ name: 'origin', url: 's3://bucket/photos', settings, source: 'committed', default: true },
  })
  await varve(['remote', 'set', 'origin', 'forcePathStyle', 'true'], { cwd: root })
  await varve(['remote', 'set', 'origin', 'profile', 'mine', '--local'], { cwd: root })
  expect(shared(root)).toContain(
    '    url: s3://bucket/photos\n    endpointUrl: https://minio.example:9000\n    region: eu-central-1\n    profile: work\n    forcePathStyle: true\n',
  )
  expect((await list(root))[0]?.settings).toEqual({
    endpointUrl: { value: 'https://minio.example:9000', source: 'committed' },
    region: { value: 'eu-central-1', source: 'committed' },
    profile: { value: 'mine', source: 'local' },
    forcePathStyle: { value: 'true', source: 'committed' },
  })
  expect(await varve(['remote', 'list'], { cwd: root })).toBe('*  origin  s3://bucket/photos\n')
  expect(await varve(['remote', 'list', '-v'], { cwd: root })).toMatch(
    /^\* {2}origin {2}s3:\/\/bucket\/photos\n {11}endpointUrl: https:\/\/minio\.example:9000\n[\s\S]* profile: mine +\(this clone\)\n/,
  )
})

test('a setting that the kind of remote does not have is refused in one line, and changes nothing', async () => {
  const root = await project()
  await varve(['remote', 'add', 'origin', '/srv/a'], { cwd: root })
  await varve(['remote', 'add', 'bucket', 's3://bucket/x', '--region', 'eu-central-1'], { cwd: root })
  const before = shared(root)
  const refused = async (...args: string[]) => {
    const { exitCode, stderr } = await runVarve(args, { cwd: root })
    expect({ args, exitCode }).toEqual({ args, exitCode: 2 })
    expect(shared(root)).toBe(before)
    return stderr
  }
  expect(await refused('remote', 'set', 'origin', 'storageClass', 'STANDARD_IA')).toMatch(
    /^varve: the remote origin is a folder, which has no storageClass\nhint: /,
  )
  expect(await refused('config', 'remotes.origin.region', 'x')).toContain('is a folder')
  expect(await refused('remote', 'add', 'other', 'ssh://h/x', '--region', 'x')).toContain('over SSH')
  expect(await refused('remote', 'set', 'bucket', 'storageClass', 'COLD')).toContain('STANDARD_IA')
  expect(await refused('remote', 'set', 'bucket', 'region', 'x.evil.example/')).toContain('region cannot be')
  expect(await refused('remote', 'set', 'bucket', 'url', '/srv/b')).toContain('has no region')
  expect(await refused('remote', 'set', 'bucket', 'regoin', 'x')).toContain('`region`')
  const secret = await refused('remote', 'set', 'bucket', 'secretAccessKey', 'hunter2')
  expect(secret).toContain('secret')
  expect(secret).not.toContain('hunter2')
})

test('a local URL of another kind leaves out what belongs to the committed one', async () => {
  const root = await project()
  const folder = makeFolder()
  await varve(['remote', 'add', 'origin', 's3://bucket/x', '--region', 'eu-central-1'], { cwd: root })
  await varve(['remote', 'set', 'origin', 'url', folder, '--local'], { cwd: root })
  expect(await varveJson(['remote', 'test'], { cwd: root })).toMatchObject({ label: folder, place: 'empty' })
  await varve(['remote', 'set', 'origin', 'storageClass', 'STANDARD_IA'], { cwd: root })
  const { exitCode, stderr } = await runVarve(
    ['remote', 'set', 'origin', 'storageClass', 'STANDARD_IA', '--local'],
    { cwd: root },
  )
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining('is a folder') })
})

test('settings by hand that the kind does not have stop it when it is used', async () => {
  const root = await project()
  await varve(['remote', 'add', 'origin', '/srv/a'], { cwd: root })
  writeFiles(root, { 'varve.yaml': shared(root).replace('/srv/a', '/srv/a\n    acl: private') })
  expect(await runVarve(['remote', 'test'], { cwd: root })).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('the remote origin is a folder, which has no acl'),
  })
  await varve(['remote', 'set', 'origin', 'acl', '--unset'], { cwd: root })
  expect(shared(root)).not.toContain('acl')
})

test('remove takes a remote out of both files, and the default with it', async () => {
  const root = await project()
  for (const name of ['origin', 'backup', 'third']) {
    await varve(['remote', 'add', name, `/srv/${name}`], { cwd: root })
  }
  await varve(['remote', 'set', 'origin', 'url', '/mnt/mirror', '--local'], { cwd: root })
  const removed = await runVarve(['remote', 'remove', 'origin'], { cwd: root })
  expect(removed.exitCode).toBe(0)
  expect(removed.stderr).toContain('varve remote default NAME')
  expect(shared(root)).not.toMatch(/origin|default/)
  expect(local(root)).not.toContain('origin')
  const json = await varveJson(['remote', 'remove', 'third'], { cwd: root })
  expect(json).toEqual({ name: 'third', sources: ['committed'], default: 'backup' })
  await varve(['remote', 'remove', 'backup'], { cwd: root })
  expect(shared(root)).not.toContain('remotes')
  expect(git(root, 'status', '--porcelain')).toBe('')
  expect((await runVarve(['remote', 'remove', 'backup'], { cwd: root })).exitCode).toBe(1)
  expect(await varve(['remote', 'list'], { cwd: root })).toBe('')
})

test('default shows and sets', async () => {
  const root = await project()
  const none = await runVarve(['remote', 'default'], { cwd: root })
  expect(none).toMatchObject({ exitCode: 9, stdout: '' })
  await varve(['remote', 'add', 'origin', '/srv/a'], { cwd: root })
  await varve(['remote', 'add', 'backup', '/srv/b'], { cwd: root })
  await varve(['remote', 'add', 'mine', '/srv/c', '--local'], { cwd: root })
  expect(await varve(['remote', 'default'], { cwd: root })).toBe('origin\n')
  expect(await varveJson(['remote', 'default', 'backup'], { cwd: root })).toEqual({ default: 'backup' })
  expect(await varve(['remote', 'default'], { cwd: root })).toBe('backup\n')

  const unshared = await runVarve(['remote', 'default', 'mine'], { cwd: root })
  expect(unshared).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--local') })
  await varve(['remote', 'default', 'mine', '--local'], { cwd: root })
  expect(await varve(['remote', 'default'], { cwd: root })).toBe('mine\n')
  const covered = await runVarve(['remote', 'default', 'origin'], { cwd: root })
  expect(covered.stderr).toContain('this clone has a default of its own, mine')
  expect(shared(root)).toContain('default: origin')
  expect((await runVarve(['remote', 'default', 'nobody'], { cwd: root })).exitCode).toBe(1)
})

test('list warns of a default that is gone', async () => {
  const root = await project()
  await varve(['remote', 'add', 'origin', '/srv/a'], { cwd: root })
  writeFiles(root, { 'varve.yaml': shared(root).replace('default: origin', 'default: old') })
  const { stderr, stdout } = await runVarve(['remote', 'list'], { cwd: root })
  expect(stderr).toContain('the default is old')
  expect(stdout).toBe('   origin  /srv/a\n')
})

test('test tries an empty folder and leaves it empty', async () => {
  const root = await project()
  const folder = makeFolder()
  await varve(['remote', 'add', 'origin', folder], { cwd: root })
  const result = await varveJson<{ checks: { check: string; outcome: string; latencyMs: number }[] }>(
    ['remote', 'test'],
    { cwd: root },
  )
  expect(result).toMatchObject({
    name: 'origin',
    label: folder,
    place: 'empty',
    placeError: null,
    probeBytes: 8 << 20,
  })
  expect(result.checks.map(({ check }) => check).sort()).toEqual([
    ...['create', 'list', 'parallel', 'race', 'range', 'read', 'remove', 'stat', 'throughput', 'write'],
  ])
  expect(result.checks.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
  expect(readdirSync(folder).filter((name) => !name.startsWith('.'))).toEqual([])
  const text = await varve(['remote', 'test', 'origin'], { cwd: root })
  expect(text).toMatch(/create only if absent +works +[0-9.]+ ms\n/)
  expect(text).toMatch(/the same, several at once +works +[0-9.]+ ms\n/)
  expect(text).toMatch(
    /throughput, of 8\.0 MiB:\n {2}one request +write [0-9.,]+ \w+\/s +read [0-9.,]+ \w+\/s\n {2}8 at once +write /,
  )
})

test('test makes no folder, and tells a new one from one whose disk is away', async () => {
  const root = await project()
  const folder = makeFolder()
  await varve(['remote', 'add', 'new', join(folder, 'new')], { cwd: root })
  await varve(['remote', 'add', 'away', join(folder, 'disk/away')], { cwd: root })
  const fresh = await runVarve(['remote', 'test', 'new'], { cwd: root })
  expect(fresh).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('first push will make it') })
  expect(await varveJson(['remote', 'test', 'new'], { cwd: root })).toMatchObject({
    place: 'missing',
    checks: [],
  })
  const away = await runVarve(['remote', 'test', 'away'], { cwd: root })
  expect(away).toMatchObject({ exitCode: 9, stderr: expect.stringContaining('disk/away') })
  expect(readdirSync(folder)).toEqual([])
})

test.runIf(requiredServer('sshd', hasSshd))('a new folder on a server is told as one here', async () => {
  const sshd = await startSshd()
  try {
    const root = await project()
    const folder = sshd.makeFolder()
    const options = { cwd: root, env: { HOME: sshd.home, SSH_AUTH_SOCK: undefined } }
    const { url } = sshd.place(join(folder, 'new'))
    await varve(['remote', 'add', 'new', url], options)
    await varve(['remote', 'add', 'away', sshd.place(join(folder, 'disk/away')).url], options)
    writeFiles(root, { 'a.bin': 'x' })
    await varve(['add', 'a.bin'], options)

    expect(await varve(['remote', 'test', 'new'], options)).toBe(
      [
        `new: ${url}`,
        'There is no such folder yet, so nothing was tested: the first push will make it.',
        'If it should be there, mount the disk or server that it lies on.',
        '',
      ].join('\n'),
    )
    expect(await varveJson(['remote', 'test', 'new'], options)).toMatchObject({
      label: url,
      place: 'missing',
    })
    expect(await varve(['push', '-n', '-r', 'new'], options)).toContain(`would push 1 version to ${url}`)
    for (const words of [
      ['remote', 'test', 'away'],
      ['push', '-n', '-r', 'away'],
    ]) {
      expect(await runVarve(words, options)).toMatchObject({
        exitCode: 9,
        stderr: expect.stringContaining('disk/away'),
      })
    }
    expect(readdirSync(folder)).toEqual([])
    await varve(['push', '-r', 'new'], options)
    expect(readdirSync(join(folder, 'new'))).toContain('varve.json')
  } finally {
    await sshd.stop()
  }
})

test('test says what is there that is not for it', async () => {
  const root = await project()
  const folder = makeFolder()
  await varve(['remote', 'add', 'origin', folder], { cwd: root })
  writeFiles(folder, { 'holiday.jpg': 'x' })
  const foreign = await runVarve(['remote', 'test'], { cwd: root })
  expect(foreign).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('holds other things') })
  writeFiles(folder, { 'varve.json': '{"version":99,"chunking":"x"}' })
  const newer = await runVarve(['remote', 'test'], { cwd: root })
  expect(newer).toMatchObject({ exitCode: 7, stdout: expect.stringContaining('version 99') })
})

test('test of a folder that cannot be written ends with 9, and says what fails', async () => {
  const root = await project()
  const folder = makeFolder()
  await varve(['remote', 'add', 'origin', folder], { cwd: root })
  writeFiles(folder, { '.varve-tmp': 'a file where a folder belongs' })
  const { exitCode, stdout } = await runVarve(['remote', 'test'], { cwd: root })
  expect(exitCode).toBe(9)
  expect(stdout).toMatch(/write +fails +\S/)
  expect(stdout).toMatch(/read +not tested/)
  expect(stdout).toMatch(/list +works/)
})

test('none of it works before init', async () => {
  const root = makeRepository()
  for (const args of [
    ['list'],
    ['add', 'a', '/b'],
    ['set', 'a', 'url', 'b'],
    ['remove', 'a'],
    ['default'],
    ['test'],
  ]) {
    const { exitCode, stderr } = await runVarve(['remote', ...args], { cwd: root })
    expect({ args, exitCode }).toEqual({ args, exitCode: 5 })
    expect(stderr).toContain('varve init')
  }
})
