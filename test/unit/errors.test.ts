import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { fromSystemError, VarveError } from '../../core/errors.ts'

function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: something, open 'x'`), { code, syscall: 'open' })
}

test('an error carries what it was given, and no more', () => {
  const cause = new Error('why')
  const full = new VarveError('CORRUPT', 'what', { hint: 'Do this.', retryable: true, cause })
  expect(full).toMatchObject({ code: 'CORRUPT', message: 'what', hint: 'Do this.', retryable: true, cause })
  const bare = new VarveError('IO', 'what')
  expect(bare).toMatchObject({ name: 'VarveError', hint: undefined, retryable: false })
  expect('cause' in bare).toBe(false)
})

test.each([
  ['ENOSPC', 'NO_SPACE'],
  ['EDQUOT', 'NO_SPACE'],
  ['EACCES', 'NO_PERMISSION'],
  ['EPERM', 'NO_PERMISSION'],
  ['EROFS', 'NO_PERMISSION'],
  ['ENOENT', 'NOT_FOUND'],
  ['EIO', 'IO'],
  ['EMFILE', 'IO'],
])('%s is %s', (system, code) => {
  const cause = systemError(system)
  const error = fromSystemError(cause, 'writing data.csv') as VarveError
  expect(error).toBeInstanceOf(VarveError)
  expect(error).toMatchObject({ code, cause })
  expect(error.message).toContain('writing data.csv')
})

test('what is an error of ours already passes through', () => {
  const error = new VarveError('HOSTILE', 'x')
  expect(fromSystemError(error, 'writing')).toBe(error)
})

test('a bug passes through: it must not look like a broken disk', () => {
  let wrongCall: unknown
  try {
    readFileSync(undefined as unknown as string)
  } catch (error) {
    wrongCall = error
  }
  expect((wrongCall as NodeJS.ErrnoException).code).toBe('ERR_INVALID_ARG_TYPE')
  for (const bug of [wrongCall, new TypeError('x'), new Error('x'), 'x', undefined]) {
    expect(fromSystemError(bug, 'writing')).toBe(bug)
  }
})
