import { VarveError } from '../../core/errors.ts'
import type { Key, RemoteEntry } from '../../core/remote.ts'
import { dumpBody } from './dump-body.ts'
import type { HttpAnswer } from './exchange.ts'
import type { HttpClient } from './http-client.ts'
import { type Published, parsePublished } from './parse-published.ts'
import { readAnswer } from './read-answer.ts'

export const PUBLISHED_KEY: Key = 'published.json'
const MAX_PUBLISHED_BYTES = 64 << 20
/** Changes within the second in which a file was written may leave its validators as they were. */
const RACY_MS = 2000

type Fetched = { published: Published; modifiedAt: Date; validators: Record<string, string> }

/** What a web server has in place of a listing: the remote's `published.json`, asked for anew by each listing. */
export class PublishedListing {
  readonly #client: HttpClient
  readonly #label: string
  readonly #host: string
  #fetched: Fetched | undefined

  constructor(options: { client: HttpClient; label: string }) {
    this.#client = options.client
    this.#label = options.label
    this.#host = new URL(options.label).host
  }

  /**
   * Sizes are those of the last push. `modifiedAt` is when `published.json` was written: what it names is no younger.
   * @throws REMOTE_FAILED where there is none, or it does not tell of this prefix; MALFORMED, HOSTILE, TOO_NEW
   */
  async *list(prefix: string): AsyncGenerator<RemoteEntry, void, undefined> {
    const { published, modifiedAt } = await this.#refresh()
    if (!published.prefixes.some((known) => prefix.startsWith(known))) {
      throw new VarveError('REMOTE_FAILED', `${this.#label}: "${prefix}" cannot be listed over HTTP`, {
        hint: 'Use the URL of the folder itself: over HTTP only what published.json names can be listed.',
      })
    }
    for (const [key, sizeBytes] of published.keys) {
      if (key.startsWith(prefix)) yield { key, sizeBytes, modifiedAt }
    }
  }

  async #refresh(): Promise<Fetched> {
    const doing = `reading ${PUBLISHED_KEY} in ${this.#label}`
    const answer = await this.#client.send({
      method: 'GET',
      key: PUBLISHED_KEY,
      // Caches on the way may have an old one.
      headers: { 'cache-control': 'no-cache', ...this.#fetched?.validators },
      doing,
    })
    if (answer.statusCode === 304 && this.#fetched !== undefined) {
      await dumpBody(answer.body)
      return this.#fetched
    }
    if (answer.statusCode === 404 || answer.statusCode === 410) {
      await dumpBody(answer.body)
      throw unpublished(this.#label)
    }
    const stream = await readAnswer(answer, { range: undefined, host: this.#host, doing })
    const parts: Buffer[] = []
    let length = 0
    for await (const part of stream) {
      length += (part as Buffer).length
      if (length > MAX_PUBLISHED_BYTES) throw tooLong(this.#label)
      parts.push(part as Buffer)
    }
    const published = parsePublished(Buffer.concat(parts, length), `${this.#label}: ${PUBLISHED_KEY}`)
    this.#fetched = { published, modifiedAt: modifiedAtOf(answer), validators: validatorsOf(answer) }
    return this.#fetched
  }
}

/** By the server's clock. Without a time of its own a value is as old as the answer. */
export function modifiedAtOf({ headers }: HttpAnswer): Date {
  return dateOf(headers['last-modified']) ?? dateOf(headers.date) ?? new Date()
}

/** RFC 9110, 8.8: what asks for the value only if it is another one; nothing where it was written just now. */
function validatorsOf(answer: HttpAnswer): Record<string, string> {
  const { etag, date } = answer.headers
  const modified = answer.headers['last-modified']
  const ageMs = (dateOf(date)?.getTime() ?? 0) - (dateOf(modified)?.getTime() ?? Number.POSITIVE_INFINITY)
  if (ageMs < RACY_MS) return {}
  return Object.fromEntries(
    Object.entries({ 'if-none-match': etag, 'if-modified-since': modified }).flatMap(([name, value]) =>
      // Other characters than ASCII arrive decoded, and cannot be sent back as they were.
      value !== undefined && /^[ -~]+$/.test(value) ? [[name, value]] : [],
    ),
  )
}

function dateOf(header: string | undefined): Date | undefined {
  const date = new Date(header ?? '')
  return Number.isNaN(date.getTime()) ? undefined : date
}

function unpublished(label: string): VarveError {
  return new VarveError('REMOTE_FAILED', `${label} has no ${PUBLISHED_KEY}, which readers over HTTP need`, {
    hint: 'Push to the folder itself once with this version of varve, and see that the mirror has all of it.',
  })
}

function tooLong(label: string): VarveError {
  return new VarveError('HOSTILE', `${label}: ${PUBLISHED_KEY} is longer than ${MAX_PUBLISHED_BYTES} bytes`, {
    hint: 'Do not trust this remote; ask who runs it.',
  })
}
