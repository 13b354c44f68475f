import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Remote } from '../../../core/remote.ts'
import { createSshRemote } from '../../../remotes/ssh.ts'
import { describeLists } from '../../contract/lists.ts'
import { describeRemoteContract } from '../../contract/remote-contract.ts'
import { keysOf, readBytes, sourceOf } from '../../contract/sources.ts'
import { describeWriteFailures } from '../../contract/write-failures.ts'
import { describeWrites } from '../../contract/writes.ts'
import { requiredServer } from '../../support/required-server.ts'
import { hasSshd, type Sshd, startSshd, useHome } from '../../support/sshd.ts'

describe.runIf(requiredServer('sshd', hasSshd))('sshd', () => {
  let sshd: Sshd
  let restore: () => void
  beforeAll(async () => {
    sshd = await startSshd()
    restore = useHome(sshd.home)
  })
  afterAll(async () => {
    restore()
    await sshd.stop()
  })

  describeRemoteContract('ssh', async () => {
    const remote = await createSshRemote(sshd.place(sshd.makeFolder()))
    return { remote, cleanUp: async () => undefined }
  })
})

// As the SFTP servers of others: what is replaced is missing for a moment, so that readers are promised less.
describe.runIf(requiredServer('sshd', hasSshd))('sshd without the extensions of OpenSSH', () => {
  let sshd: Sshd
  let restore: () => void
  let remote: Remote
  let folder: string
  beforeAll(async () => {
    sshd = await startSshd({ subsystem: 'internal-sftp -P posix-rename,hardlink,fsync,statvfs,limits' })
    restore = useHome(sshd.home)
  })
  afterAll(async () => {
    restore()
    await sshd.stop()
  })
  beforeEach(async () => {
    folder = sshd.makeFolder()
    remote = await createSshRemote(sshd.place(folder))
  })

  describeWrites(() => remote, { atomicIfAbsent: true })
  describeWriteFailures(() => remote)
  describeLists(() => remote, { manyKeys: 200 })

  test('nothing is left beside the values', async () => {
    await remote.write('a', sourceOf('1'))
    await remote.write('a', sourceOf('2'))
    await remote.write('b', sourceOf('1'), { ifAbsent: true })
    expect(readdirSync(join(folder, '.varve-tmp'))).toEqual([])
  })

  test('a claim that a killed writer left is named, and keeps only its key from being written', async () => {
    await remote.write('a', sourceOf('1'))
    // Named after a digest of the key, so that all writers of the key look for the same one.
    const claim = join(folder, '.varve-tmp', 'claim-ca978112ca1bbdcafac231b39a23dc4d')
    writeFileSync(claim, '')
    await expect(remote.write('a', sourceOf('x'))).rejects.toMatchObject({
      code: 'REMOTE_FAILED',
      retryable: true,
      message: expect.stringContaining(claim),
    })
    await remote.write('b', sourceOf('x'))
    expect(await keysOf(remote, '')).toEqual(['a', 'b'])
    expect((await readBytes(remote, 'b')).toString()).toBe('x')
  })
})
