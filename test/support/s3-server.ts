import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Bucket, type StoredObject, type Upload } from './s3-server/bucket.ts'
import { ByteSpool } from './s3-server/byte-spool.ts'
import { handleRequest, type RequestRecord, type ServerState } from './s3-server/handle-request.ts'
import type { OperationSettings } from './s3-server/operation.ts'
import type { OperationName } from './s3-server/route.ts'
import type { S3Credentials } from './s3-server/signature.ts'

export type S3ServerOptions = Partial<OperationSettings> & {
  /** Made at the start. */
  bucket?: string
  accessKeyId?: string
  secretAccessKey?: string
  /** Where given, a request must bring it. */
  sessionToken?: string
  /** A token that is answered with ExpiredToken. */
  expiredSessionToken?: string
}

export type S3Server = {
  url: string
  port: number
  bucket: string
  region: string
  credentials: S3Credentials
  /** What was asked, in the order of the answers; set its length to 0 to begin anew. */
  requests: RequestRecord[]
  /** Of the bucket made at the start. */
  objects: Map<string, StoredObject>
  /** Of the same bucket: what is neither completed nor aborted. */
  uploads: Map<string, Upload>
  /** Operations to be answered with AccessDenied. */
  denied: Set<OperationName>
  close(): Promise<void>
}

/**
 * A strict S3 server on the loopback interface: what it does not implement it refuses with 501, and it verifies
 * signatures, digests, checksums, trailers, conditions, ranges, tokens and parts as S3 documents them. Values of more
 * than 1 MiB lie in a temporary folder.
 */
export async function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  const { bucket = 'test-bucket', region = 'us-east-1', sessionToken, expiredSessionToken } = options
  const credentials: S3Credentials = {
    accessKeyId: options.accessKeyId ?? 'AKIAVARVETEST',
    secretAccessKey: options.secretAccessKey ?? 'a-secret-of-no-worth',
    ...(sessionToken !== undefined && { sessionToken }),
  }
  const requests: RequestRecord[] = []
  const denied = new Set<OperationName>()
  const first = new Bucket()
  const spool = new ByteSpool()
  const state: ServerState = {
    buckets: new Map([[bucket, first]]),
    denied,
    spool,
    log: (record) => requests.push(record),
    settings: {
      region,
      credentials,
      now: options.now ?? (() => new Date()),
      pageSize: options.pageSize ?? 1000,
      minPartBytes: options.minPartBytes ?? 5 << 20,
      conditionalWrites: options.conditionalWrites ?? 'atomic',
      ...(expiredSessionToken !== undefined && { expiredSessionToken }),
    },
  }

  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 })
  const answer = (mustContinue: boolean) => (message: IncomingMessage, response: ServerResponse) => {
    response.sendDate = false
    void handleRequest(message, response, { state, mustContinue })
  }
  server.on('request', answer(false))
  server.on('checkContinue', answer(true))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}`,
    ...{ port, bucket, region, credentials, requests, denied },
    objects: first.objects,
    uploads: first.uploads,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
      spool.close()
    },
  }
}
