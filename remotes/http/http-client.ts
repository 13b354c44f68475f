import { setMaxListeners } from 'node:events'
import { VarveError } from '../../core/errors.ts'
import type { Key } from '../../core/remote.ts'
import { throwIfAborted } from '../interruption.ts'
import { dumpBody } from './dump-body.ts'
import type { Exchange, HttpAnswer } from './exchange.ts'
import type { HttpPlace } from './http-place.ts'
import { isLoopback } from './is-loopback.ts'
import type { Credentials } from './netrc.ts'
import { requestError } from './request-error.ts'

export type HttpRequest = {
  method: 'GET' | 'HEAD'
  key: Key
  headers?: Record<string, string>
  signal?: AbortSignal | undefined
  /** For messages: names the key and the remote. */
  doing: string
}

export type HttpClientOptions = {
  place: HttpPlace
  exchange: Exchange
  /** What the user has written down for a host. */
  findCredentials: (hostname: string) => Promise<Credentials | undefined>
}

const MOST_REDIRECTS = 5
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

/**
 * Sends requests for keys below one URL. It follows redirects, also to other hosts, but never from https to http, and
 * gives the user's credentials to the place's own host alone, once that has asked for them.
 */
export class HttpClient {
  readonly #options: HttpClientOptions
  readonly #base: URL
  #authorisation: string | undefined

  constructor(options: HttpClientOptions) {
    this.#options = options
    this.#base = new URL(`${options.place.url}/`)
  }

  /**
   * The answer may have any status but 401 and those of redirects; a redirect to the same path with a slash means a
   * folder, and so 404.
   * @throws NO_PERMISSION where credentials are asked for; REMOTE_FAILED, REMOTE_UNREACHABLE, INTERRUPTED
   */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    let url = new URL(request.key, this.#base)
    let redirects = 0
    for (;;) {
      const known = this.#authorisationFor(url)
      const answer = await this.#exchange(url, request, known)
      if (answer.statusCode === 401) {
        await dumpBody(answer.body)
        await this.#authorise(url, request.doing, known)
        continue
      }
      const target = REDIRECTS.has(answer.statusCode) ? targetOf(answer, url) : undefined
      if (target === undefined) return answer
      await dumpBody(answer.body)
      if (target.pathname === `${url.pathname}/`) return { ...answer, statusCode: 404 }
      if (++redirects > MOST_REDIRECTS) {
        throw misled(`redirects more than ${MOST_REDIRECTS} times`, request.doing)
      }
      refuseDowngrade(url, target, request.doing)
      url = target
    }
  }

  async #exchange(
    url: URL,
    { method, headers, signal, doing }: HttpRequest,
    authorization: string | undefined,
  ): Promise<HttpAnswer> {
    throwIfAborted(signal, doing)
    // One signal ends a whole transfer: more requests than the ten that Node takes for a leak.
    if (signal !== undefined) setMaxListeners(0, signal)
    try {
      return await this.#options.exchange(url, {
        method,
        headers: {
          'user-agent': 'varve',
          'accept-encoding': 'identity',
          ...headers,
          ...(authorization === undefined ? {} : { authorization }),
        },
        signal,
      })
    } catch (error) {
      throwIfAborted(signal, doing)
      throw requestError(error, url.host, doing)
    }
  }

  #authorisationFor(url: URL): string | undefined {
    return this.#reasonAgainst(url) === undefined ? this.#authorisation : undefined
  }

  /** Why this URL is given no credentials, as a hint on what to do. */
  #reasonAgainst(url: URL): string | undefined {
    const isUpgrade =
      this.#base.protocol === 'http:' && url.protocol === 'https:' && this.#base.host === url.host
    if (url.origin !== this.#base.origin && !isUpgrade) {
      return `Use the URL of ${url.host} itself: it is another host, which is given no password.`
    }
    if (!this.#options.place.mayAuthenticate) {
      return `Run \`varve trust\` if ${url.host} may be given the password that your ~/.netrc has for it.`
    }
    if (url.protocol !== 'https:' && !isLoopback(url.hostname)) {
      return 'Use its https URL: no password is sent over plain http.'
    }
    return undefined
  }

  /** @throws NO_PERMISSION where there is nothing to try that was not tried */
  async #authorise(url: URL, doing: string, tried: string | undefined): Promise<void> {
    const reason = this.#reasonAgainst(url)
    if (reason !== undefined) throw unauthorised(doing, reason)
    if (tried !== undefined) {
      throw unauthorised(doing, `Check the login and password for ${url.hostname} in your ~/.netrc.`)
    }
    const credentials = await this.#options.findCredentials(url.hostname)
    if (credentials === undefined) {
      throw unauthorised(doing, `Add to your ~/.netrc: machine ${url.hostname} login USER password PASSWORD.`)
    }
    const { login, password } = credentials
    this.#authorisation = `Basic ${Buffer.from(`${login}:${password}`).toString('base64')}`
  }
}

/** Undefined where the answer names no place to go to. */
function targetOf({ headers }: HttpAnswer, url: URL): URL | undefined {
  const { location } = headers
  if (location === undefined || !URL.canParse(location, url.href)) return undefined
  const target = new URL(location, url)
  // A user and password that a server makes up are no business of this client.
  target.username = ''
  target.password = ''
  target.hash = ''
  return target
}

function refuseDowngrade(from: URL, to: URL, doing: string): void {
  if (to.protocol !== 'http:' && to.protocol !== 'https:') throw misled(`redirects to ${to.protocol}`, doing)
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw misled('redirects from https to plain http', doing)
  }
}

function misled(what: string, doing: string): VarveError {
  return new VarveError('REMOTE_FAILED', `the web server ${what} while ${doing}`, {
    hint: 'Use the URL that it really serves the folder at.',
  })
}

function unauthorised(doing: string, hint: string): VarveError {
  return new VarveError('NO_PERMISSION', `the web server wants a user and a password (401) while ${doing}`, {
    hint,
  })
}
