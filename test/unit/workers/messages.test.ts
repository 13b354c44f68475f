import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { fromSystemError, VarveError } from '../../../core/errors.ts'
import { packError, unpackError } from '../../../core/workers/messages.ts'

/** What arrives at the other side of a thread. */
const across = (error: unknown) => unpackError(structuredClone(packError(error)))

test('an error of ours arrives as it was', () => {
  const error = new VarveError('CORRUPT', 'bad', { hint: 'Do this.', retryable: true })
  const arrived = across(error)
  expect(arrived).toBeInstanceOf(VarveError)
  expect(arrived).toMatchObject({ code: 'CORRUPT', message: 'bad', hint: 'Do this.', retryable: true })
  expect(arrived.stack).toBe(error.stack)
  expect(across(new VarveError('IO', 'x'))).toMatchObject({ hint: undefined, retryable: false })
})

test('an error of the system can still be told from a bug, and said in words', () => {
  let failure: unknown
  try {
    readFileSync('/nowhere/at/all')
  } catch (error) {
    failure = error
  }
  expect(across(failure)).toMatchObject({ code: 'ENOENT', syscall: 'open', path: '/nowhere/at/all' })
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
    code: 'ENOSPC',
    syscall: 'write',
  })
  expect(fromSystemError(across(full), 'writing')).toMatchObject({ code: 'NO_SPACE' })
})

test('a bug arrives as an error with its stack', () => {
  const bug = new TypeError('a bug')
  const arrived = across(bug)
  expect(arrived).not.toBeInstanceOf(VarveError)
  expect([arrived.message, arrived.stack, 'code' in arrived]).toEqual(['a bug', bug.stack, false])
})

test('what is no error arrives as one', () => {
  for (const thrown of ['text', undefined, null, 5]) expect(across(thrown).message).toBe(String(thrown))
})
