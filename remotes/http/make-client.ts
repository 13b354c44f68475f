import { createExchange } from './exchange.ts'
import { HttpClient } from './http-client.ts'
import type { HttpPlace } from './http-place.ts'
import { readNetrc } from './read-netrc.ts'

/** The client of a place, with the proxies of the environment and the user's own netrc. */
export function makeClient(place: HttpPlace): HttpClient {
  return new HttpClient({
    place,
    exchange: createExchange(),
    findCredentials: (hostname) => readNetrc(hostname),
  })
}
