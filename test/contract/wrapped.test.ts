import type { Remote } from '../../core/remote.ts'
import { createFileRemote } from '../../remotes/file.ts'
import { createMemoryRemote } from '../../remotes/memory.ts'
import { withCounting } from '../../remotes/with-counting.ts'
import { withLimit } from '../../remotes/with-limit.ts'
import { withRetry } from '../../remotes/with-retry.ts'
import { withStallTimeout } from '../../remotes/with-stall-timeout.ts'
import { createFaultyRemote, passingError } from '../support/faulty-remote.ts'
import { describeRemoteContract } from './remote-contract.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

/** As commands use a remote. */
function wrap(remote: Remote): Remote {
  const { remote: counted } = withCounting(withStallTimeout(remote))
  return withRetry(withLimit(counted, { most: 4 }), { baseDelayMs: 0.1 })
}

describeRemoteContract('memory, in all its wrappers', async () => ({
  remote: wrap(createMemoryRemote()),
  cleanUp: async () => {},
}))

describeRemoteContract('file, in all its wrappers', async () => {
  const { folder, cleanUp } = await makeTemporaryFolder()
  return { remote: wrap(createFileRemote({ folder })), cleanUp }
})

/** Each call fails the first time and every third, and each stream breaks off as often; nothing that did its work fails. */
describeRemoteContract('memory, of which many requests fail', async () => {
  const fails = (attempt: number) => attempt % 3 === 1
  const remote = createFaultyRemote(createMemoryRemote(), {
    fail: ({ attempt }) => (fails(attempt) ? passingError() : undefined),
    breakOff: ({ attempt, key }) =>
      fails(attempt + 1) && key !== 'published.json'
        ? { after: attempt * 1000, error: passingError() }
        : undefined,
  })
  return { remote: wrap(remote), cleanUp: async () => {} }
})
