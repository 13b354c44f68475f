import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readNetrc } from '../../../../remotes/http/read-netrc.ts'
import { makeTemporaryFolder } from '../../../support/temporary-folder.ts'

const ENTRY = 'machine example.org login ada password secret\n'

test('reads .netrc in the home folder, and $NETRC rather than that', async () => {
  const folder = makeTemporaryFolder()
  expect(await readNetrc('example.org', { HOME: folder })).toBeUndefined()
  writeFileSync(join(folder, '.netrc'), ENTRY)
  expect(await readNetrc('example.org', { HOME: folder })).toEqual({ login: 'ada', password: 'secret' })
  const other = join(folder, 'other')
  expect(await readNetrc('example.org', { HOME: folder, NETRC: other })).toBeUndefined()
  writeFileSync(other, ENTRY.replace('ada', 'bea'))
  expect(await readNetrc('example.org', { HOME: folder, NETRC: other })).toMatchObject({ login: 'bea' })
})

test('of a file that cannot be read says which', async () => {
  const folder = makeTemporaryFolder()
  mkdirSync(join(folder, '.netrc'))
  await expect(readNetrc('example.org', { HOME: folder })).rejects.toMatchObject({
    message: expect.stringContaining(join(folder, '.netrc')),
  })
})
