import type { Readable } from 'node:stream'
import type * as Sdk from '@aws-sdk/client-s3'
import { VarveError } from '../core/errors.ts'
import type { Remote, RemoteEntry } from '../core/remote.ts'
import { alreadyExists } from './already-exists.ts'
import { checkKey, checkPrefix, isKey } from './check-key.ts'
import { throwIfAborted } from './interruption.ts'
import { BufferPool } from './s3/buffer-pool.ts'
import { createS3Clients } from './s3/clients.ts'
import { collect } from './s3/collect.ts'
import { credentialSource } from './s3/credential-source.ts'
import { isForeignListing } from './s3/foreign-answer.ts'
import { emptyStream, readBody } from './s3/read-body.ts'
import {
  isOfCredentials,
  isPreconditionFailed,
  isStatus,
  isUnexplained,
  isUnsupportedCondition,
  noListing,
  s3Error,
  wasSkewed,
} from './s3/s3-error.ts'
import type { S3Place } from './s3/s3-place.ts'
import type { S3Settings } from './s3/s3-settings.ts'
import { sweepUploads } from './s3/sweep-uploads.ts'
import { PART_BYTES, uploadParts } from './s3/upload-parts.ts'
import { sourceBytes } from './source-bytes.ts'

/** Parts of all writes that are held in memory at once. */
const MOST_PARTS = 8

/**
 * A prefix in a bucket of S3, or of a service that speaks it. Values larger than a part are uploaded in parts, several
 * at once, and appear when they are complete. `name` is what the user calls it. Docs: docs/remotes/s3.md.
 */
export async function createS3Remote(
  place: S3Place,
  settings: S3Settings,
  { name }: { name?: string | undefined } = {},
): Promise<Remote> {
  const { bucket, prefix } = place
  // It would warn, of the Node that is supported today, on standard error.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
  const sdk = await import('@aws-sdk/client-s3')
  const { client, partClient } = createS3Clients(sdk, settings)
  const label = place.url
  const about = { place, settings, name }
  const root = prefix === '' ? '' : `${prefix}/`
  const payer = settings.requestPayer === undefined ? {} : { RequestPayer: settings.requestPayer }
  const target = (key: string) => ({ Bucket: bucket, Key: root + key, ...payer })
  const stored = {
    ...(settings.storageClass !== undefined && { StorageClass: settings.storageClass }),
    ...(settings.serverSideEncryption !== undefined && {
      ServerSideEncryption: settings.serverSideEncryption,
    }),
    ...(settings.kmsKeyId !== undefined && { SSEKMSKeyId: settings.kmsKeyId }),
    ...(settings.acl !== undefined && { ACL: settings.acl }),
  }
  const pool = new BufferPool(MOST_PARTS, PART_BYTES)
  let hasSwept = false
  let mayCreateConditionally = true

  /** Does `request`, and tells what goes wrong in Varve's words. */
  async function doing<T>(
    what: string,
    signal: AbortSignal | undefined,
    request: () => Promise<T>,
  ): Promise<T> {
    throwIfAborted(signal, what)
    try {
      return await request()
    } catch (error) {
      throwIfAborted(signal, what)
      const keySource = isOfCredentials(error) ? await credentialSource(client, settings) : undefined
      throw s3Error(error, { what, ...about, keySource })
    }
  }

  async function stat(key: string): Promise<RemoteEntry | undefined> {
    checkKey(key)
    return doing(`looking for ${key}`, undefined, async () => {
      try {
        const head = await client.send(new sdk.HeadObjectCommand(target(key)))
        return { key, sizeBytes: head.ContentLength ?? 0, modifiedAt: head.LastModified ?? new Date(0) }
      } catch (error) {
        if (isStatus(error, 404)) return undefined
        throw isUnexplained(error) ? await explained(error, key) : error
      }
    })
  }

  /** A HEAD tells no more than a status; a GET that is refused as well says why. */
  async function explained(error: unknown, key: string): Promise<unknown> {
    try {
      const { Body } = await client.send(new sdk.GetObjectCommand({ ...target(key), Range: 'bytes=0-0' }))
      ;(Body as Readable).destroy()
    } catch (reason) {
      if (!isStatus(reason, 404) && !isStatus(reason, 416)) return reason
    }
    return wasSkewed(error) ? Object.assign(error, { name: 'RequestTimeTooSkewed' }) : error
  }

  /** `IfNoneMatch: *` where the service has it; else a look before, which leaves a gap between the two. */
  async function creating<T>(
    key: string,
    ifAbsent: boolean,
    send: (condition: object) => Promise<T>,
  ): Promise<T> {
    if (!ifAbsent) return send({})
    if (mayCreateConditionally) {
      try {
        return await send({ IfNoneMatch: '*' })
      } catch (error) {
        if (isPreconditionFailed(error)) throw alreadyExists(key, label)
        if (!isUnsupportedCondition(error)) throw error
        mayCreateConditionally = false
      }
    }
    if ((await stat(key)) !== undefined) throw alreadyExists(key, label)
    return send({})
  }

  async function put(
    key: string,
    body: Buffer,
    ifAbsent: boolean,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    await creating(key, ifAbsent, (condition) =>
      client.send(
        new sdk.PutObjectCommand({ ...target(key), ...stored, ...condition, Body: body }),
        signal && { abortSignal: signal },
      ),
    )
  }

  return {
    label,
    stat,

    async read(key, { range, signal } = {}): Promise<Readable> {
      checkKey(key)
      const what = `reading ${key}`
      if (range !== undefined && range.endExclusive <= range.start) {
        if ((await stat(key)) === undefined) throw s3Error(notFound(), { what, ...about })
        return emptyStream()
      }
      return doing(what, signal, async () => {
        try {
          const { Body, ContentRange } = await client.send(
            new sdk.GetObjectCommand({ ...target(key), ...(range && { Range: rangeHeader(range) }) }),
            signal && { abortSignal: signal },
          )
          if (range !== undefined && range.start > 0 && ContentRange === undefined) {
            ;(Body as Readable).destroy()
            throw withoutRanges(what, label)
          }
          return readBody(Body as Readable, {
            signal,
            what,
            mapError: (error) => s3Error(error, { what, ...about }),
          })
        } catch (error) {
          // The range begins at or past the end.
          if (isStatus(error, 416)) return emptyStream()
          throw error
        }
      })
    },

    async write(key, source, { ifAbsent = false, signal } = {}) {
      checkKey(key)
      const bytes = sourceBytes(key, source, signal)
      await doing(`writing ${key}`, signal, async () => {
        if (source.sizeBytes <= PART_BYTES) {
          await pool.using(source.sizeBytes, async (buffer) =>
            put(key, await collect(bytes, buffer), ifAbsent, signal),
          )
          return
        }
        await uploadParts({
          ...{ sdk, client, partClient, pool, bytes, signal, target: target(key), stored },
          sizeBytes: source.sizeBytes,
          complete: (send) => creating(key, ifAbsent, send),
          isThere: async () => (await stat(key))?.sizeBytes === source.sizeBytes,
        })
        if (hasSwept) return
        hasSwept = true
        await sweepUploads({ sdk, client, bucket, root, payer })
      })
    },

    async *list(prefix) {
      checkPrefix(prefix)
      const what = `listing ${prefix === '' ? 'all' : prefix}`
      let token: string | undefined
      do {
        // Whoever retries this listing retries its first page.
        const asked = token === undefined ? client : partClient
        const page: Sdk.ListObjectsV2Output = await doing(what, undefined, async () => {
          const command = new sdk.ListObjectsV2Command({
            ...{ Bucket: bucket, Prefix: root + prefix, ...payer },
            ...(token !== undefined && { ContinuationToken: token }),
          })
          const answer = await asked.send(command).catch((error: unknown) => {
            throw isForeignListing(error) ? noListing({ what, ...about }, error) : error
          })
          if (!isListing(answer)) throw noListing({ what, ...about })
          return answer
        })
        for (const { Key, Size, LastModified } of page.Contents ?? []) {
          const key = Key?.slice(root.length) ?? ''
          // Others may keep things in the bucket too.
          if (isKey(key)) yield { key, sizeBytes: Size ?? 0, modifiedAt: inSeconds(LastModified) }
        }
        const next = page.IsTruncated ? page.NextContinuationToken : undefined
        if (page.IsTruncated && (next === undefined || next === token)) throw endlessListing(what, label)
        token = next
      } while (token !== undefined)
    },

    async remove(key) {
      checkKey(key)
      await doing(`removing ${key}`, undefined, () => client.send(new sdk.DeleteObjectCommand(target(key))))
    },
  }
}

/** The whole would pass for its part. */
function withoutRanges(what: string, label: string): VarveError {
  return new VarveError('REMOTE_FAILED', `${label} gives the whole where a part is asked for, ${what}`, {
    hint: 'Use a service that knows ranges: `varve remote test` shows it.',
  })
}

/** What is no listing at all parses as an empty one. */
function isListing({ Name, IsTruncated, KeyCount, Contents }: Sdk.ListObjectsV2Output): boolean {
  return [Name, IsTruncated, KeyCount, Contents].some((found) => found !== undefined)
}

/** There is more, and no way to it: what was listed so far must not pass for all. */
function endlessListing(what: string, label: string): VarveError {
  return new VarveError('REMOTE_FAILED', `${label} does not tell how to go on, ${what}`, {
    hint: 'Run `varve remote test`, and tell whoever runs the service.',
  })
}

/** As the time of a single object is told; some services list it more finely. */
function inSeconds(time = new Date(0)): Date {
  return new Date(Math.floor(time.getTime() / 1000) * 1000)
}

function rangeHeader({ start, endExclusive }: { start: number; endExclusive: number }): string {
  return `bytes=${start}-${endExclusive >= Number.MAX_SAFE_INTEGER ? '' : endExclusive - 1}`
}

function notFound(): Error {
  return Object.assign(new Error('no such key'), { name: 'NoSuchKey', $metadata: { httpStatusCode: 404 } })
}
