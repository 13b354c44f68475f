import { describe, expect, test } from 'vitest'
import { findCredentials, parseNetrc } from '../../../../remotes/http/netrc.ts'
import { varveErrorOf } from '../../../support/varve-error.ts'

const credentialsOf = (text: string, host = 'example.org') =>
  findCredentials(parseNetrc(text, '.netrc'), host)

describe('a netrc', () => {
  test.each([
    ['on one line', 'machine example.org login ada password secret'],
    ['on many lines', 'machine\n  example.org\n\tlogin ada\n  password\n  secret\n'],
    ['with the line ends of Windows', 'machine example.org\r\nlogin ada\r\npassword secret\r\n'],
    ['with a byte order mark', '\ufeffmachine example.org login ada password secret'],
    ['in quotes', 'machine "example.org" login "ada" password "secret"'],
    ['with an account', 'machine example.org login ada account x password secret'],
    ['in capitals', 'machine Example.ORG login ada password secret'],
    ['after others', 'machine a.org login x password y\nmachine example.org login ada password secret'],
    ['as the default', 'machine a.org login x password y\ndefault login ada password secret'],
    [
      'with comments',
      '# machine example.org\nmachine example.org # login x\nlogin ada\n#x\npassword secret # y',
    ],
    [
      'before a second entry',
      'machine example.org login ada password secret machine example.org login x password y',
    ],
    [
      'after a macro',
      'macdef init\nmachine example.org\nlogin x\n\nmachine example.org login ada password secret',
    ],
  ])('gives login and password written %s', (_name, text) => {
    expect(credentialsOf(text)).toEqual({ login: 'ada', password: 'secret' })
  })

  test.each([
    ['a#b', 'a#b'],
    ['#1', '#1'],
    ['"two words"', 'two words'],
    ['"a \\"b\\" \\\\ \\t"', 'a "b" \\ \t'],
    ['a"b', 'a"b'],
    ['login', 'login'],
    ['größe', 'größe'],
    ['""', ''],
  ])('takes %s for a password', (written, password) => {
    expect(credentialsOf(`machine example.org login ada password ${written}`)).toEqual({
      login: 'ada',
      password,
    })
  })

  test.each([
    ['nothing', ''],
    ['comments alone', '# machine example.org login ada password secret'],
    ['another host', 'machine sub.example.org login ada password secret'],
    ['a macro alone', 'macdef init\nmachine example.org login ada password secret'],
    [
      'an entry without password, though there is a default',
      'machine example.org login ada\ndefault login x password y',
    ],
    ['an entry without login', 'machine example.org password secret'],
  ])('with %s gives nothing', (_name, text) => {
    expect(credentialsOf(text)).toBeUndefined()
  })

  test.each([
    ['machine example.org login ada password', 1],
    ['machine example.org\nlogin', 2],
    ['machine', 1],
    ['machine example.org login ada\npasswort hunter2', 2],
    ['password hunter2', 1],
    ['machine example.org password "hunter2', 1],
    ['machine example.org password "hunter2\n"', 1],
    ['machine example.org password hunter2 hunter2', 1],
    ['default login ada password hunter2\nmachine example.org', 2],
  ])('%j is refused with its line, and without its words', (text, line) => {
    const { code, message, hint } = varveErrorOf(() => parseNetrc(text, '/home/ada/.netrc'))
    expect(code).toBe('BAD_CONFIG')
    expect(message).toContain(`/home/ada/.netrc, line ${line}:`)
    expect(`${message}${hint}`).not.toContain('hunter2')
  })
})
