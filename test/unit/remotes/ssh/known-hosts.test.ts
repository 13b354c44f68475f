import { execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  fingerprintOf,
  judgeHostKey,
  keyTypeOf,
  knownHostsName,
  knownKeyTypes,
  parseKnownHosts,
} from '../../../../remotes/ssh/known-hosts.ts'
import { requiredServer } from '../../../support/required-server.ts'
import { hasSshd, makeKey } from '../../../support/sshd.ts'
import { makeTemporaryFolder } from '../../../support/temporary-folder.ts'

const keyOf = (type: string, body: string) => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(type.length)
  return Buffer.concat([length, Buffer.from(type), Buffer.from(body)])
}
const ed = keyOf('ssh-ed25519', 'one')
const other = keyOf('ssh-ed25519', 'two')
const rsa = keyOf('ssh-rsa', 'three')
const line = (names: string, key: Buffer) => `${names} ${keyTypeOf(key)} ${key.toString('base64')} comment`
const judge = (text: string, name: string, key: Buffer) =>
  judgeHostKey(parseKnownHosts(text, 'file'), name, key).is

function hashed(name: string): string {
  const salt = Buffer.from('0123456789abcdefghij')
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
}

describe('a host key', () => {
  test.each([
    ['example.org', 'example.org', 'known'],
    ['Example.ORG', 'example.org', 'known'],
    ['example.org,192.0.2.1', '192.0.2.1', 'known'],
    ['*.example.org', 'a.example.org', 'known'],
    ['*.example.org,!b.example.org', 'b.example.org', 'unknown'],
    ['192.0.2.?', '192.0.2.7', 'known'],
    ['[example.org]:2222', '[example.org]:2222', 'known'],
    ['[example.org]:2222', 'example.org', 'unknown'],
    ['example.org', '[example.org]:2222', 'unknown'],
    [hashed('example.org'), 'example.org', 'known'],
    [hashed('[example.org]:2222'), '[example.org]:2222', 'known'],
    [hashed('example.org'), 'example.com', 'unknown'],
    ['|1|broken', 'example.org', 'unknown'],
    ['|2|c2FsdA==|aGFzaA==', 'example.org', 'unknown'],
    ['@cert-authority *', 'example.org', 'unknown'],
    ['@unheard-of example.org', 'example.org', 'unknown'],
    ['# example.org', 'example.org', 'unknown'],
  ])('in the line of %s, for %s, is %s', (names, name, expected) => {
    expect(judge(line(names, ed), name, ed)).toBe(expected)
  })

  test('that differs from the one in the file is changed, of whatever type either is', () => {
    expect(judge(line('example.org', ed), 'example.org', other)).toBe('changed')
    expect(judge(line('example.org', ed), 'example.org', rsa)).toBe('changed')
    expect(judgeHostKey(parseKnownHosts(`\n${line('h', ed)}`, 'file'), 'h', other)).toMatchObject({
      line: { where: 'file:2' },
    })
  })

  test('that one of several lines has is known', () => {
    const text = [line('example.org', ed), line('example.org', rsa), line('*', other)].join('\r\n')
    for (const key of [ed, rsa, other]) expect(judge(text, 'example.org', key)).toBe('known')
  })

  test('that is revoked is so whatever other lines say', () => {
    const text = [line('example.org', ed), line('@revoked *', ed)].join('\n')
    expect(judge(text, 'example.org', ed)).toBe('revoked')
    expect(judge(text, 'example.org', other)).toBe('changed')
    expect(judge(line('@revoked *', ed), 'example.org', other)).toBe('unknown')
  })

  test('lines that cannot be read make nothing known', () => {
    expect(judge('example.org\nexample.org ssh-ed25519\n\0\n|\n@revoked\n', 'example.org', ed)).toBe(
      'unknown',
    )
  })
})

test('the types that a host is known by, without revoked ones', () => {
  const hosts = parseKnownHosts(
    [line('a', ed), line('a,b', rsa), line('@revoked a', other)].join('\n'),
    'file',
  )
  expect(knownKeyTypes(hosts, 'a')).toEqual(['ssh-ed25519', 'ssh-rsa'])
  expect(knownKeyTypes(hosts, 'b')).toEqual(['ssh-rsa'])
  expect(knownKeyTypes(hosts, 'c')).toEqual([])
})

test('the name that a host is filed by', () => {
  expect(knownHostsName('Example.org', 22)).toBe('example.org')
  expect(knownHostsName('Example.org', 2222)).toBe('[example.org]:2222')
})

test.runIf(requiredServer('sshd', hasSshd))('fingerprints and hashes are those of ssh-keygen', () => {
  const folder = makeTemporaryFolder()
  const file = join(folder, 'key')
  makeKey(file)
  const [type, base64] = readFileSync(`${file}.pub`, 'utf8').split(' ') as [string, string]
  const key = Buffer.from(base64, 'base64')
  const shown = execFileSync('ssh-keygen', ['-l', '-f', `${file}.pub`], { encoding: 'utf8' })
  expect(shown).toContain(fingerprintOf(key))
  expect(keyTypeOf(key)).toBe(type)

  const hosts = join(folder, 'known_hosts')
  writeFileSync(hosts, `[example.org]:2222 ${type} ${base64}\n`)
  execFileSync('ssh-keygen', ['-q', '-H', '-f', hosts], { stdio: 'ignore' })
  const text = readFileSync(hosts, 'utf8')
  expect(text).toMatch(/^\|1\|/)
  expect(judge(text, '[example.org]:2222', key)).toBe('known')
  expect(judge(text, 'example.org', key)).toBe('unknown')
})
