import { expect, test } from 'vitest'
import { REMOTE_KEYS } from '../../../core/config/config-keys.ts'
import { checkRemoteSettings, isSettingOf } from '../../../remotes/remote-settings.ts'

const check = (url: string, settings: Record<string, string>) =>
  checkRemoteSettings({ name: 'origin', url, settings: new Map(Object.entries(settings)) })

const S3 = 's3://bucket/photos'

test('a bucket takes every setting that a config can have', () => {
  expect(REMOTE_KEYS.filter((key) => !isSettingOf(S3, key))).toEqual([])
  expect(() =>
    check(S3, {
      url: S3,
      endpointUrl: 'https://minio.example:9000',
      region: 'eu-central-1',
      forcePathStyle: 'false',
      profile: 'work',
      storageClass: 'STANDARD_IA',
      serverSideEncryption: 'aws:kms',
      kmsKeyId: 'alias/data',
      acl: 'bucket-owner-full-control',
      requestPayer: 'requester',
    }),
  ).not.toThrow()
})

test.each([
  ['/srv/x', 'a folder'],
  ['ssh://me@host/x', 'a folder over SSH'],
  ['https://data.example.org/x', 'a web server'],
])('%s has no setting but its URL', (url, what) => {
  expect(() => check(url, { url })).not.toThrow()
  for (const key of REMOTE_KEYS.filter((key) => key !== 'url')) {
    expect(() => check(url, { [key]: 'x' })).toThrow(
      expect.objectContaining({
        code: 'BAD_CONFIG',
        message: `the remote origin is ${what}, which has no ${key}`,
        hint: expect.stringContaining(`varve remote set origin ${key} --unset`),
      }),
    )
  }
})

test.each([
  [{ storageClass: 'COLD' }, /the remote origin: storageClass cannot be "COLD"/],
  [{ forcePathStyle: 'yes' }, /forcePathStyle/],
  [{ endpointUrl: 'minio.example:9000' }, /endpointUrl/],
  [{ endpointUrl: 'ftp://minio.example' }, /endpointUrl/],
  [{ endpointUrl: 'https://-x.example' }, /endpointUrl names a host that begins with a dash/],
  [{ endpointUrl: 'https://user@minio.example' }, /endpointUrl/],
  [{ kmsKeyId: 'x' }, /kmsKeyId/],
])('%j is refused, with the name of the remote', (settings, message) => {
  expect(() => check(S3, settings as Record<string, string>)).toThrow(
    expect.objectContaining({ code: 'BAD_CONFIG', message: expect.stringMatching(message) }),
  )
})

test.each(['evil.example/', 'x.evil.example#', 'a/b', 'a@b', '-x', 'x-', 'a b', 'a:1', 'é', 'x'.repeat(64)])(
  'a region cannot lead to another host: %j',
  (region) => {
    expect(() => check(S3, { region })).toThrow(
      expect.objectContaining({ code: 'BAD_CONFIG', message: expect.stringContaining('region') }),
    )
  },
)

test('a hint names the remote', () => {
  expect(() => check(S3, { kmsKeyId: 'x' })).toThrow(
    expect.objectContaining({ hint: expect.stringContaining('varve remote set origin ') }),
  )
})
