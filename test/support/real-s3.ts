import { randomUUID } from 'node:crypto'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { RemoteAbilities } from '../contract/remote-contract.ts'

type Credentials = { accessKeyId: string; secretAccessKey: string }

/** An S3 server that runs beside the tests, with what they may ask of it. */
export type RealS3Server = Credentials & {
  name: string
  version: string
  endpointUrl: string
  region: string
  /** A user who may do nothing. */
  guest?: Credentials
  abilities: RemoteAbilities & {
    checksCredentials: boolean
    /** Of several that write one key at once, none is answered 500. */
    survivesRaces: boolean
  }
}

/** One that should, and does not. */
type MissingServer = { name: string; version: string; failure: string }

const START = '.ci/servers/install && .ci/servers/run npm test'

/**
 * Describes each of the servers in VARVE_TEST_S3_SERVERS, which `.ci/servers/run` sets. One that is not there is a
 * failed test in CI and a skipped one elsewhere; so are all, where none are named.
 */
export function describeRealS3Servers(topic: string, body: (server: RealS3Server) => void): void {
  const named = process.env.VARVE_TEST_S3_SERVERS
  if (named === undefined) {
    testMissing(`${topic}: real S3 servers run with ${START}`, 'VARVE_TEST_S3_SERVERS is not set')
    return
  }
  for (const server of JSON.parse(named) as (RealS3Server | MissingServer)[]) {
    const title = `${topic}: ${server.name} ${server.version}`
    if ('failure' in server) testMissing(title, server.failure)
    else describe(title, () => body(server))
  }
}

function testMissing(title: string, reason: string): void {
  test.skipIf(!process.env.CI)(title, () => {
    expect.fail(reason)
  })
}

/** What a process needs to sign with them, and nothing of the machine's own. */
export function environmentOf({ accessKeyId, secretAccessKey }: Credentials): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  }
}

/** For the tests of one `describe`: this process signs with them. */
export function useCredentials(credentials: Credentials): void {
  beforeAll(() => {
    for (const [name, value] of Object.entries(environmentOf(credentials))) vi.stubEnv(name, value)
    vi.stubEnv('AWS_PROFILE', undefined)
    vi.stubEnv('AWS_SESSION_TOKEN', undefined)
  })
  afterAll(() => {
    vi.unstubAllEnvs()
  })
}

/** A new bucket of its own; gives its name. */
export async function createBucket(server: RealS3Server): Promise<string> {
  const bucket = `varve-test-${randomUUID()}`
  await clientOf(server).send(new CreateBucketCommand({ Bucket: bucket }))
  return bucket
}

/** A client that asks the server what Varve does not tell. */
export function clientOf(server: RealS3Server): S3Client {
  const { endpointUrl: endpoint, region, accessKeyId, secretAccessKey } = server
  return new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  })
}
