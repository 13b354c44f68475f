import { vi } from 'vitest'
import { createFileRemote } from '../../remotes/file.ts'
import { describeRemoteContract } from './remote-contract.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

/** As exFAT answers. */
vi.mock('node:fs/promises', async (importOriginal) => ({
  ...(await importOriginal<typeof import('node:fs/promises')>()),
  link: async () => {
    throw Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' })
  },
}))

describeRemoteContract('file, on a filesystem without hard links', async () => {
  const { folder, cleanUp } = await makeTemporaryFolder()
  return { remote: createFileRemote({ folder }), cleanUp }
})
