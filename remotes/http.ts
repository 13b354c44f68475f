import { Readable } from 'node:stream'
import { VarveError } from '../core/errors.ts'
import type { Key, Remote, RemoteEntry } from '../core/remote.ts'
import { checkKey, checkPrefix } from './check-key.ts'
import { clampRange } from './clamp-range.ts'
import { parseContentRange, parseCount, parseUnsatisfiedRange } from './http/content-range.ts'
import { dumpBody } from './http/dump-body.ts'
import type { HttpAnswer } from './http/exchange.ts'
import type { HttpPlace } from './http/http-place.ts'
import { makeClient } from './http/make-client.ts'
import { modifiedAtOf, PublishedListing } from './http/published-listing.ts'
import { isEncoded, readAnswer } from './http/read-answer.ts'
import { readOnly } from './http/read-only.ts'
import { statusError } from './http/status-error.ts'
import { throwIfAborted } from './interruption.ts'

/** A server may know no HEAD, or want it done otherwise. */
const WITHOUT_HEAD: ReadonlySet<number> = new Set([405, 501])

/**
 * A remote's folder on a plain web server: it can be read, not written. `published.json` stands in place of a listing.
 * Credentials come from the user's netrc, and only where `mayAuthenticate` is set and the server asks for them.
 */
export function createHttpRemote(place: HttpPlace): Remote {
  const label = place.url
  const { host } = new URL(label)
  const client = makeClient(place)
  const listing = new PublishedListing({ client, label })
  let isHeadKnown = true

  async function stat(key: Key): Promise<RemoteEntry | undefined> {
    const doing = `looking for ${key} in ${label}`
    if (isHeadKnown) {
      const answer = await client.send({ method: 'HEAD', key, doing })
      await dumpBody(answer.body)
      const { statusCode, headers } = answer
      const sizeBytes = isEncoded(answer) ? undefined : parseCount(headers['content-length'])
      if (statusCode === 404 || statusCode === 410) return undefined
      if (statusCode === 200 && sizeBytes !== undefined) {
        return { key, sizeBytes, modifiedAt: modifiedAtOf(answer) }
      }
      if (WITHOUT_HEAD.has(statusCode)) isHeadKnown = false
      else if (statusCode !== 200) throw statusError(statusCode, doing)
    }
    return statByRange(key, doing)
  }

  async function statByRange(key: Key, doing: string): Promise<RemoteEntry | undefined> {
    const answer = await client.send({ method: 'GET', key, headers: { range: 'bytes=0-0' }, doing })
    const { statusCode } = answer
    // Of a server without ranges the whole value is under way.
    if (statusCode === 200) answer.body.destroy()
    else await dumpBody(answer.body)
    if (statusCode === 404 || statusCode === 410) return undefined
    if (statusCode !== 200 && statusCode !== 206 && statusCode !== 416) throw statusError(statusCode, doing)
    const sizeBytes = sizeOf(answer)
    if (sizeBytes === undefined) {
      throw new VarveError('REMOTE_FAILED', `the web server does not tell the size while ${doing}`, {
        hint: 'Turn compression off for that folder on the server, and byte ranges on.',
      })
    }
    return { key, sizeBytes, modifiedAt: modifiedAtOf(answer) }
  }

  async function refuseToChange(key: Key): Promise<never> {
    checkKey(key)
    throw readOnly(label)
  }

  return {
    label,

    async stat(key) {
      checkKey(key)
      return stat(key)
    },

    async read(key, { range, signal } = {}) {
      checkKey(key)
      const doing = `reading ${key} in ${label}`
      throwIfAborted(signal, doing)
      const { start, endExclusive } = clampRange(range, Number.MAX_SAFE_INTEGER)
      if (range !== undefined && start === endExclusive) {
        // HTTP has no empty range.
        if ((await stat(key)) === undefined) throw statusError(404, doing)
        return Readable.from([], { objectMode: false })
      }
      const headers = range === undefined ? {} : { range: `bytes=${start}-${endExclusive - 1}` }
      const answer = await client.send({ method: 'GET', key, headers, signal, doing })
      return readAnswer(answer, { range, host, doing, signal })
    },

    write: refuseToChange,

    async *list(prefix) {
      checkPrefix(prefix)
      yield* listing.list(prefix)
    },

    remove: refuseToChange,
  }
}

function sizeOf(answer: HttpAnswer): number | undefined {
  if (isEncoded(answer)) return undefined
  const { statusCode, headers } = answer
  if (statusCode === 200) return parseCount(headers['content-length'])
  if (statusCode === 206) return parseContentRange(headers['content-range'])?.totalBytes
  return parseUnsatisfiedRange(headers['content-range']) ?? 0
}
