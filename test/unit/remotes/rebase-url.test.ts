import { describe, expect, test } from 'vitest'
import { rebaseUrl } from '../../../remotes/rebase-url.ts'
import { parseRemoteUrl } from '../../../remotes/remote-url.ts'

const from = '/home/ada/repo/sub/deep'
const to = '/home/ada/repo'

describe.skipIf(process.platform === 'win32')('a relative path', () => {
  test.each([
    ['../../../remote', '../remote'],
    ['../remote', './sub/remote'],
    ['remote', './sub/deep/remote'],
    ['../../a:b', './a:b'],
    ['../../c:', './c:'],
    ['../../~', './~'],
    ['../../..not-above', './..not-above'],
    ['../..', '.'],
    ['../../..', '..'],
    ['../../../../../srv/', '../../../srv'],
    ['with space\\and backslash', './sub/deep/with space\\and backslash'],
  ])('%s is stored as %s', (typed, stored) => {
    const url = rebaseUrl(typed, { from, to, keep: 'relative' })
    expect(url).toBe(stored)
    expect(parseRemoteUrl(url)).toEqual({ kind: 'folder', path: url })
  })

  test('becomes absolute where that is wanted', () => {
    expect(rebaseUrl('../../../remote', { from, to, keep: 'absolute' })).toBe('/home/ada/remote')
  })
})

describe.each(['relative', 'absolute'] as const)('kept %s', (keep) => {
  test.each([
    ...['/srv/remote', 'file:///srv/remote', 'FILE:///srv/x', 'C:\\data', 'c:/data'],
    ...['s3://bucket/x', 'ssh://host/x', 'me@host:x', 'https://host/x'],
  ])('%s stays as it is', (url) => {
    expect(rebaseUrl(url, { from, to, keep })).toBe(url)
  })

  test.each(['s3://', 'ftp://ada:secret@host/x', 'gopher://host/x', '~/remote', ''])(
    '%j is refused',
    (url) => {
      expect(() => rebaseUrl(url, { from, to, keep })).toThrow(
        expect.objectContaining({ code: 'BAD_CONFIG' }),
      )
    },
  )
})
