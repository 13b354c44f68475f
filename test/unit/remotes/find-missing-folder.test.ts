import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { findMissingFolder } from '../../../remotes/find-missing-folder.ts'
import { makeFolder } from '../../support/git-fixture.ts'

test('tells what is missing, and makes nothing', async () => {
  const base = makeFolder()
  mkdirSync(join(base, 'there'))
  writeFileSync(join(base, 'file'), '')
  const ask = (url: string) => findMissingFolder(url, { baseFolder: base })
  expect(await ask('there')).toBeUndefined()
  expect(await ask(pathToFileURL(join(base, 'there')).href)).toBeUndefined()
  expect(await ask('new')).toEqual({ folder: join(base, 'new'), canBeMade: true })
  expect(await ask('new/deeper')).toEqual({ folder: join(base, 'new/deeper'), canBeMade: false })
  expect(await ask('file/x')).toEqual({ folder: join(base, 'file/x'), canBeMade: false })
  expect(readdirSync(base).sort()).toEqual(['file', 'there'])
})

test.each(['s3://bucket/x', 'ssh://host/x', 'https://host/x'])('%s is no folder', async (url) => {
  expect(await findMissingFolder(url, { baseFolder: '/' })).toBeUndefined()
})
