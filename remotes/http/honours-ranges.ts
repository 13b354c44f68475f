import type { Key } from '../../core/remote.ts'
import type { HttpPlace } from './http-place.ts'
import { makeClient } from './make-client.ts'
import { statusError } from './status-error.ts'

/**
 * Whether the web server gives the second byte of a value alone. Reading near the start of a value does not tell:
 * `createHttpRemote` makes up for servers that send all.
 * @throws as a read of the value does
 */
export async function honoursRanges(place: HttpPlace, key: Key): Promise<boolean> {
  const doing = `asking for a part of ${key} in ${place.url}`
  const answer = await makeClient(place).send({ method: 'GET', key, headers: { range: 'bytes=1-1' }, doing })
  // Its connection serves nothing else.
  answer.body.destroy()
  const { statusCode } = answer
  if (statusCode !== 200 && statusCode !== 206) throw statusError(statusCode, doing)
  return statusCode === 206
}
