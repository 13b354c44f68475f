import { beforeAll } from 'vitest'
import { createS3Remote } from '../../remotes/s3.ts'
import { withRetry } from '../../remotes/with-retry.ts'
import { describeRemoteContract } from '../contract/remote-contract.ts'
import { createBucket, describeRealS3Servers, useCredentials } from '../support/real-s3.ts'

describeRealS3Servers('the contract on a real server', (server) => {
  const { endpointUrl, region, abilities } = server
  useCredentials(server)
  let bucket = ''
  beforeAll(async () => {
    bucket = await createBucket(server)
  })
  let remotes = 0
  const makeRemote = async () => {
    const prefix = `remotes/${++remotes}`
    const place = { url: `s3://${bucket}/${prefix}`, bucket, prefix }
    const remote = await createS3Remote(place, { endpointUrl, region, forcePathStyle: true })
    return { remote: abilities.survivesRaces ? remote : withRetry(remote), cleanUp: async () => {} }
  }
  describeRemoteContract(`s3 on ${server.name}`, makeRemote, abilities)
})
