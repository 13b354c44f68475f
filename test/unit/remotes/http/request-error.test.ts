import { expect, test } from 'vitest'
import { ProxyRefusal } from '../../../../remotes/http/proxy-refusal.ts'
import { requestError } from '../../../../remotes/http/request-error.ts'

const DOING = 'reading a'
const tell = (error: unknown) => requestError(error, 'example.org', DOING)

test.each([
  [407, false, 'wants a user and a password (407)'],
  [403, false, 'the proxy answers 403'],
  [502, true, 'the proxy answers 502'],
])('a proxy that refuses a tunnel with %i is named, retryable: %s', (statusCode, retryable, message) => {
  const told = tell(new ProxyRefusal(statusCode))
  expect(told).toMatchObject({ code: 'REMOTE_FAILED', retryable, hint: expect.any(String) })
  expect((told as Error).message).toContain(message)
  expect((told as Error).message).toContain(DOING)
})

test('an answer that is no HTTP may be a proper one the next time; a wrong call is a bug', () => {
  const answer = Object.assign(new Error('parse'), { code: 'HPE_HEADER_OVERFLOW' })
  expect(tell(answer)).toMatchObject({ code: 'REMOTE_FAILED', retryable: true, cause: answer })
  const bug = Object.assign(new TypeError('bad header'), { code: 'ERR_INVALID_CHAR' })
  expect(tell(bug)).toBe(bug)
})
