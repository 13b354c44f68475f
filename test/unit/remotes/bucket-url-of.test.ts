import { expect, test } from 'vitest'
import { bucketUrlOf } from '../../../remotes/bucket-url-of.ts'

test.each([
  ['https://s3.amazonaws.com/bucket/a/b/', 's3://bucket/a/b'],
  ['https://s3.eu-central-1.amazonaws.com/bucket', 's3://bucket'],
  ['https://s3-eu-west-1.amazonaws.com/bucket/a', 's3://bucket/a'],
  ['http://s3.cn-north-1.amazonaws.com.cn/bucket/a', 's3://bucket/a'],
  ['https://bucket.s3.amazonaws.com/a', 's3://bucket/a'],
  ['https://my.own.bucket.s3.eu-west-3.amazonaws.com/', 's3://my.own.bucket'],
  ['https://bucket.s3.dualstack.us-west-2.amazonaws.com/a', 's3://bucket/a'],
])('%s is %s', (url, bucketUrl) => {
  expect(bucketUrlOf(url)).toBe(bucketUrl)
})

test.each([
  's3://bucket/a',
  '/srv/s3.amazonaws.com/bucket',
  'https://s3.amazonaws.com/',
  'https://bucket.s3-website-us-east-1.amazonaws.com/a',
  'https://bucket.s3-website.eu-west-3.amazonaws.com/a',
  'https://bucket.s3.amazonaws.com.example.org/a',
  'https://example.org/s3.amazonaws.com/a',
  'https://',
])('%s is no bucket by its web address', (url) => {
  expect(bucketUrlOf(url)).toBeUndefined()
})
