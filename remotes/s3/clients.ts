import type * as Sdk from '@aws-sdk/client-s3'
import type { S3Settings } from './s3-settings.ts'

const CONNECTION_TIMEOUT_MS = 15_000
/** Of a connection on which nothing moves, in either direction. */
const IDLE_TIMEOUT_MS = 60_000
const MOST_SOCKETS = 64
/** Of requests that `withRetry` cannot make again one by one: parts, and later pages of a listing. */
export const PART_ATTEMPTS = 8

/** For a service that has none, something must be signed. */
const ANY_REGION = 'us-east-1'

const silent = () => undefined
/** The SDK would print its warnings, of credentials that are there twice for example, on standard error. */
const SILENT_LOGGER = { trace: silent, debug: silent, info: silent, warn: silent, error: silent }

/** `client` tries once, because a wrapper tries again; `partClient` is for requests that are a part of a verb. */
export function createS3Clients(
  sdk: typeof Sdk,
  settings: S3Settings,
): { client: Sdk.S3Client; partClient: Sdk.S3Client } {
  const { endpointUrl, profile } = settings
  const region = settings.region ?? (endpointUrl === undefined ? undefined : ANY_REGION)
  const client = new sdk.S3Client({
    logger: SILENT_LOGGER,
    maxAttempts: 1,
    forcePathStyle: settings.forcePathStyle,
    followRegionRedirects: true,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      socketTimeout: IDLE_TIMEOUT_MS,
      // Each request waits for a socket as long as it must.
      socketAcquisitionWarningTimeout: 2 ** 31 - 1,
      httpAgent: { keepAlive: true, maxSockets: MOST_SOCKETS },
      httpsAgent: { keepAlive: true, maxSockets: MOST_SOCKETS },
    },
    ...(endpointUrl !== undefined && { endpoint: endpointUrl }),
    ...(region !== undefined && { region }),
    ...(profile !== undefined && { profile }),
  })
  const { credentials, requestHandler } = client.config
  const partClient = new sdk.S3Client({
    ...{ credentials, requestHandler, region: client.config.region },
    logger: SILENT_LOGGER,
    maxAttempts: PART_ATTEMPTS,
    forcePathStyle: settings.forcePathStyle,
    followRegionRedirects: true,
    ...(endpointUrl !== undefined && { endpoint: endpointUrl }),
  })
  return { client, partClient }
}
