import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { findMissingFolder } from '../../../remotes/find-missing-folder.ts'
import { makeFolder } from '../../support/git-fixture.ts'
import { requiredServer } from '../../support/required-server.ts'
import { hasSshd, startSshd, useHome } from '../../support/sshd.ts'

test('tells what is missing, and makes nothing', async () => {
  const base = makeFolder()
  mkdirSync(join(base, 'there'))
  writeFileSync(join(base, 'file'), '')
  const ask = (url: string) => findMissingFolder(url, { baseFolder: base })
  expect(await ask('there')).toBeUndefined()
  expect(await ask('file')).toBeUndefined()
  expect(await ask(pathToFileURL(join(base, 'there')).href)).toBeUndefined()
  expect(await ask('new')).toEqual({ label: join(base, 'new'), canBeMade: true })
  expect(await ask('new/deeper')).toEqual({ label: join(base, 'new/deeper'), canBeMade: false })
  expect(await ask('file/x')).toEqual({ label: join(base, 'file/x'), canBeMade: false })
  expect(readdirSync(base).sort()).toEqual(['file', 'there'])
})

test.each(['s3://bucket/x', 'https://host/x'])('%s is no folder', async (url) => {
  expect(await findMissingFolder(url, { baseFolder: '/' })).toBeUndefined()
})

test.runIf(requiredServer('sshd', hasSshd))('asks a server the same, and makes nothing there', async () => {
  const sshd = await startSshd()
  const restore = useHome(sshd.home)
  try {
    const base = sshd.makeFolder()
    mkdirSync(join(base, 'there'))
    writeFileSync(join(base, 'file'), '')
    const urlOf = (path: string) => sshd.place(join(base, path)).url
    const ask = (path: string) => findMissingFolder(urlOf(path), { baseFolder: '/' })
    expect(await ask('there')).toBeUndefined()
    expect(await ask('file')).toBeUndefined()
    expect(await ask('new')).toEqual({ label: urlOf('new'), canBeMade: true })
    expect(await ask('new/deeper')).toEqual({ label: urlOf('new/deeper'), canBeMade: false })
    expect(await ask('file/x')).toEqual({ label: urlOf('file/x'), canBeMade: false })
    expect(readdirSync(base).sort()).toEqual(['file', 'there'])

    writeFileSync(join(sshd.home, '.ssh/known_hosts'), '')
    await expect(ask('new')).rejects.toMatchObject({ message: expect.stringContaining('is not known') })
  } finally {
    restore()
    await sshd.stop()
  }
})

test('a server that is not reached is left to who opens the remote, and tries more often', async () => {
  const restore = useHome(makeFolder())
  try {
    const url = `ssh://me@127.0.0.1:${await closedPort()}/srv/x`
    expect(await findMissingFolder(url, { baseFolder: '/' })).toBeUndefined()
  } finally {
    restore()
  }
})

async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
