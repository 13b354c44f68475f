import { readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { TrustedPlaces } from '../../../core/config/trusted-places.ts'
import { makeFolder, writeFiles } from '../../support/git-fixture.ts'

const MINIO = { kind: 's3', origin: 'https://minio.example:9000' }
const SSH = { kind: 'ssh', origin: 'ssh://git@host:2222' }

test('what is added is remembered, a place a line, until it is removed', async () => {
  const folder = makeFolder()
  const trusted = await TrustedPlaces.read(folder)
  expect(trusted.has(MINIO)).toBe(false)
  await trusted.add(MINIO)
  await trusted.add(SSH)
  await trusted.add(MINIO)
  expect(readFileSync(join(folder, 'trusted-places'), 'utf8')).toBe(
    's3 https://minio.example:9000\nssh ssh://git@host:2222\n',
  )
  const again = await TrustedPlaces.read(folder)
  expect(again.list()).toEqual([MINIO, SSH])
  await again.remove([MINIO])
  expect([again.has(MINIO), again.has(SSH)]).toEqual([false, true])
  expect((await TrustedPlaces.read(folder)).list()).toEqual([SSH])
})

test('a place is trusted as it is: of this kind, user, port and scheme, and no other', async () => {
  const trusted = await TrustedPlaces.read(makeFolder())
  await trusted.add(MINIO)
  await trusted.add(SSH)
  for (const place of [
    { kind: 'http', origin: MINIO.origin },
    { kind: 's3', origin: 'http://minio.example:9000' },
    { kind: 's3', origin: 'https://minio.example' },
    { kind: 's3', origin: 'https://minio.example:90001' },
    { kind: 'ssh', origin: 'ssh://host:2222' },
    { kind: 'ssh', origin: 'ssh://root@host:2222' },
  ]) {
    expect(trusted.has(place)).toBe(false)
  }
})

test('a change is made to what the file says at that moment', async () => {
  const folder = makeFolder()
  const [first, second] = [await TrustedPlaces.read(folder), await TrustedPlaces.read(folder)]
  await first.add(MINIO)
  await second.add(SSH)
  expect((await TrustedPlaces.read(folder)).list()).toEqual([MINIO, SSH])
})

test('a line that says nothing trusts nothing', async () => {
  const folder = makeFolder()
  writeFiles(folder, { 'trusted-places': '\n# a note\nssh\nhttps://minio.example:9000\nssh ssh://a b\n*\n' })
  expect((await TrustedPlaces.read(folder)).list()).toEqual([])
})

test('a place that would be more than a line is a bug, and is not written', async () => {
  const folder = makeFolder()
  const trusted = await TrustedPlaces.read(folder)
  await expect(trusted.add({ kind: 'ssh', origin: 'ssh://a\nssh ssh://b' })).rejects.toThrow('not a place')
  expect(readdirSync(folder)).toEqual([])
})

test('a file that is a link is refused', async () => {
  const folder = makeFolder()
  const other = makeFolder()
  writeFiles(other, { 'places.txt': 'ssh ssh://host\n' })
  symlinkSync(join(other, 'places.txt'), join(folder, 'trusted-places'))
  await expect(TrustedPlaces.read(folder)).rejects.toMatchObject({ code: 'BAD_CONFIG' })
})
