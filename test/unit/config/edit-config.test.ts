import { chmodSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { editConfig } from '../../../core/config/edit-config.ts'
import { setConfigValue } from '../../../core/config/set-config-value.ts'
import { makeFolder, writeFiles } from '../../support/git-fixture.ts'

const TEXT = `# The data of this project
version: 1
repository: 0123456789abcdef0123456789abcdef # do not change

remotes:
  # in the cellar
  origin:
    url: file:///cellar
default: origin
`

function committed(text = TEXT) {
  const folder = makeFolder()
  writeFiles(folder, { 'varve.yaml': text })
  return { path: join(folder, 'varve.yaml'), source: 'committed' } as const
}

const read = (file: { path: string }) => readFileSync(file.path, 'utf8')

test('an edit keeps comments, order and mode, and leaves nothing else behind', async () => {
  const file = committed()
  chmodSync(file.path, 0o640)
  await setConfigValue(file, 'remotes.my.backup.url', 's3://bucket/a # b')
  await setConfigValue(file, 'default', 'my.backup')
  expect(read(file)).toBe(
    TEXT.replace('default: origin', '  my.backup:\n    url: "s3://bucket/a # b"\ndefault: my.backup'),
  )
  expect(statSync(file.path).mode & 0o777).toBe(0o640)
  expect(readdirSync(dirname(file.path))).toEqual(['varve.yaml'])
})

test('removing the last setting of the last remote removes the empty maps, and no more', async () => {
  const file = committed()
  await setConfigValue(file, 'remotes.other.url', 'x')
  await setConfigValue(file, 'remotes.other.url', undefined)
  expect(read(file)).toBe(TEXT)
  await setConfigValue(file, 'remotes.origin.url', undefined)
  expect(read(file)).not.toContain('remotes')
  expect(read(file)).toContain('default: origin')
})

test('removing what is not there changes nothing', async () => {
  const file = committed()
  await setConfigValue(file, 'remotes.other.url', undefined)
  expect(read(file)).toBe(TEXT)
})

test('maps with nothing in them take a setting, and give none', async () => {
  const head = 'version: 1\nrepository: 0123456789abcdef0123456789abcdef\n'
  for (const empty of ['remotes:\n', 'remotes:\n  origin:\n', 'remotes: {}\n', '']) {
    const file = committed(head + empty)
    await setConfigValue(file, 'remotes.origin.url', undefined)
    expect(read(file)).toBe(head + empty)
    await setConfigValue(file, 'remotes.origin.url', 'x')
    expect(parse(read(file)).remotes).toEqual({ origin: { url: 'x' } })
  }
})

test('a long value stays on one line', async () => {
  const file = committed()
  const url = `s3://bucket/${'word '.repeat(60)}end`
  await setConfigValue(file, 'remotes.origin.url', url)
  expect(read(file)).toContain(`url: ${url}\n`)
})

test('a switch is written as YAML has it, and other text that looks so is quoted', async () => {
  const file = committed()
  await setConfigValue(file, 'remotes.origin.forcePathStyle', 'true')
  await setConfigValue(file, 'remotes.origin.profile', 'true')
  expect(read(file)).toContain('    forcePathStyle: true\n    profile: "true"\n')
  await setConfigValue(file, 'remotes.origin.forcePathStyle', 'false')
  expect(read(file)).toContain('    forcePathStyle: false\n')
  await expect(setConfigValue(file, 'remotes.origin.forcePathStyle', 'maybe')).rejects.toMatchObject({
    code: 'BAD_CONFIG',
  })
})

test('a file that is not there is created, with its folder', async () => {
  const file = { path: join(makeFolder(), 'varve/config.yaml'), source: 'local' } as const
  await setConfigValue(file, 'default', 'origin')
  expect(read(file)).toBe('default: origin\n')
})

test('an edit that would break the file is refused, and the file stays', async () => {
  const file = committed()
  await expect(editConfig(file, (document) => document.set('nonsense', 1))).rejects.toMatchObject({
    code: 'BAD_CONFIG',
  })
  await expect(setConfigValue(file, 'default', '../x')).rejects.toMatchObject({ code: 'BAD_CONFIG' })
  await expect(setConfigValue(file, 'remotes.origin.url', '')).rejects.toMatchObject({ code: 'BAD_CONFIG' })
  await expect(setConfigValue(file, 'remotes.origin.url', 's3://a:b@c')).rejects.toMatchObject({
    code: 'BAD_CONFIG',
  })
  expect(read(file)).toBe(TEXT)
  expect(readdirSync(dirname(file.path))).toEqual(['varve.yaml'])
})

test.each([
  'version',
  'repository',
  'store',
  'remotes',
  'remotes.origin',
  'remotes.a.b',
  'default.x',
  'nope',
  '',
])('there is no setting %j to be set in the committed file', async (key) => {
  const file = committed()
  await expect(setConfigValue(file, key, 'x')).rejects.toMatchObject({ code: 'BAD_CONFIG' })
  expect(read(file)).toBe(TEXT)
})

test('a secret is not set', async () => {
  await expect(setConfigValue(committed(), 'remotes.origin.secret_key', 'x')).rejects.toMatchObject({
    code: 'BAD_CONFIG',
    message: expect.stringContaining('secret'),
  })
})

test('a file in conflict, or a link, is not edited', async () => {
  const conflict = committed(`version: 1\n<<<<<<< a\n=======\n>>>>>>> b\n`)
  await expect(setConfigValue(conflict, 'default', 'x')).rejects.toMatchObject({ code: 'CONFLICT' })
  const target = committed()
  const link = join(makeFolder(), 'varve.yaml')
  symlinkSync(target.path, link)
  await expect(setConfigValue({ path: link, source: 'committed' }, 'default', 'x')).rejects.toMatchObject({
    code: 'BAD_CONFIG',
  })
  expect(read(target)).toBe(TEXT)
  const dangling = join(makeFolder(), 'config.yaml')
  symlinkSync(join(dirname(target.path), 'nothing'), dangling)
  await expect(setConfigValue({ path: dangling, source: 'local' }, 'default', 'x')).rejects.toMatchObject({
    code: 'BAD_CONFIG',
  })
  expect(existsSync(join(dirname(target.path), 'nothing'))).toBe(false)
})
