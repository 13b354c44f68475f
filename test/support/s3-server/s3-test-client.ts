import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { afterEach } from 'vitest'
import { type S3Server, type S3ServerOptions, startS3Server } from '../s3-server.ts'

const ends: (() => Promise<void> | void)[] = []

/** The client would tell the console of streams that it cannot send again. */
const logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

/** Importing this file ends each test's servers and clients when the test is over. */
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

export async function startTestServer(options: S3ServerOptions = {}): Promise<S3Server> {
  const server = await startS3Server(options)
  ends.push(() => server.close())
  return server
}

/** The real client, which tries each request once. */
export function createTestClient(
  { url: endpoint, region, credentials }: Pick<S3Server, 'url' | 'region' | 'credentials'>,
  config: S3ClientConfig = {},
): S3Client {
  const client = new S3Client({
    endpoint,
    region,
    credentials,
    forcePathStyle: true,
    maxAttempts: 1,
    logger,
    ...config,
  })
  ends.push(() => client.destroy())
  return client
}

/** What a request was refused with: status and name, or `undefined` where it was not. */
export async function refusalOf(sent: Promise<unknown>): Promise<string | undefined> {
  try {
    await sent
    return undefined
  } catch (error) {
    const { name, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } }
    if ($metadata?.httpStatusCode === undefined) throw error
    return `${$metadata.httpStatusCode} ${name}`
  }
}
