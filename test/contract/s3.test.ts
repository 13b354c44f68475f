import { afterAll, beforeAll, describe } from 'vitest'
import type { Remote } from '../../core/remote.ts'
import { createS3Remote } from '../../remotes/s3.ts'
import { withCounting } from '../../remotes/with-counting.ts'
import { withLimit } from '../../remotes/with-limit.ts'
import { withRetry } from '../../remotes/with-retry.ts'
import { withStallTimeout } from '../../remotes/with-stall-timeout.ts'
import { type S3Server, type S3ServerOptions, startS3Server } from '../support/s3-server.ts'
import { stubAwsEnvironment } from '../support/stub-aws-environment.ts'
import { describeRemoteContract, type RemoteAbilities } from './remote-contract.ts'

type Variant = {
  name: string
  server?: S3ServerOptions
  wrap?: (remote: Remote) => Remote
  atomicIfAbsent?: boolean
}

const VARIANTS: Variant[] = [
  { name: 's3' },
  {
    name: 's3, as commands use it',
    wrap: (remote) =>
      withRetry(withLimit(withCounting(withStallTimeout(remote)).remote, { most: 8 }), { baseDelayMs: 1 }),
  },
  {
    name: 's3, of a service without conditional writes',
    server: { conditionalWrites: 'unsupported' },
    atomicIfAbsent: false,
  },
]

describe.each(VARIANTS)('$name', ({ name, server: options, wrap, atomicIfAbsent = true }) => {
  let server: S3Server
  let places = 0
  stubAwsEnvironment(() => server.credentials)
  beforeAll(async () => {
    server = await startS3Server({ pageSize: 100, ...options })
  })
  afterAll(() => server.close())

  const abilities: Partial<RemoteAbilities> = { manyKeys: 250, atomicIfAbsent }
  describeRemoteContract(
    name,
    async () => {
      const prefix = `place-${places++}`
      const remote = await createS3Remote(
        { url: `s3://${server.bucket}/${prefix}`, bucket: server.bucket, prefix },
        { endpointUrl: server.url, forcePathStyle: true },
      )
      return { remote: wrap?.(remote) ?? remote, cleanUp: async () => {} }
    },
    abilities,
  )
})
