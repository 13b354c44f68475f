import { inspect } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Remote } from '../../core/remote.ts'
import { createS3Remote } from '../../remotes/s3.ts'
import { entriesOf, readBytes, sourceOf } from '../contract/sources.ts'
import { createBucket, describeRealS3Servers, useCredentials } from '../support/real-s3.ts'
import { varveErrorFrom } from '../support/varve-error.ts'

/** What everyone does who has no right to. */
const verbs: [name: string, act: (remote: Remote) => Promise<unknown>][] = [
  ['read', (remote) => readBytes(remote, 'varve.json')],
  ['write', (remote) => remote.write('varve.json', sourceOf('{}'), { ifAbsent: true })],
  ['list', (remote) => entriesOf(remote, 'index/')],
]

describeRealS3Servers('what a real server refuses', (server) => {
  const { endpointUrl, guest, abilities } = server
  let bucket = ''
  beforeAll(async () => {
    bucket = await createBucket(server)
  })
  const open = (place: { bucket: string; region?: string }) =>
    createS3Remote(
      { url: `s3://${place.bucket}/prefix`, bucket: place.bucket, prefix: 'prefix' },
      { endpointUrl, region: place.region ?? server.region, forcePathStyle: true },
    )

  /** One line each of what and what to do, once and for all, and no secret anywhere. */
  async function refusalOf(acting: Promise<unknown>, secret: string) {
    const error = await varveErrorFrom(acting)
    expect(error.message).toContain(`s3://`)
    expect(error.message).toContain(endpointUrl)
    expect(error.message).not.toContain('\n')
    expect(error.hint).toMatch(/^[A-Z][^\n]+\.$/)
    expect(error.retryable).toBe(false)
    expect(`${error.message} ${error.hint} ${error.stack}`).not.toContain(secret)
    expect(inspect(error.cause, { depth: 1 })).not.toContain(secret)
    return error
  }

  describe.runIf(abilities.checksCredentials)('a wrong secret key', () => {
    const secretAccessKey = 'another-secret'
    useCredentials({ accessKeyId: server.accessKeyId, secretAccessKey })
    test.each(verbs)('to %s', async (_name, act) => {
      const error = await refusalOf(act(await open({ bucket })), secretAccessKey)
      expect(error.message).toContain('the secret key does not belong to the access key')
    })
  })

  describe.runIf(abilities.checksCredentials)('an unknown access key', () => {
    const secretAccessKey = 'a-secret-of-nobody'
    useCredentials({ accessKeyId: 'nobody', secretAccessKey })
    test.each(verbs)('to %s', async (_name, act) => {
      const error = await refusalOf(act(await open({ bucket })), secretAccessKey)
      expect(error.message).toMatch(/the access key is not known there|does not belong to the access key/)
    })
  })

  describe.runIf(guest !== undefined)('a user without rights', () => {
    useCredentials(guest ?? server)
    test.each(verbs)('to %s', async (_name, act) => {
      const error = await refusalOf(act(await open({ bucket })), guest!.secretAccessKey)
      expect(error).toMatchObject({ code: 'NO_PERMISSION' })
    })
  })

  describe.runIf(abilities.checksCredentials)('a wrong region', () => {
    useCredentials(server)
    test.each(verbs)('to %s', async (_name, act) => {
      const remote = await open({ bucket, region: 'eu-west-3' })
      const error = await refusalOf(act(remote), server.secretAccessKey)
      expect(error.message).toContain('another region')
    })
  })

  describe('a bucket that is not there', () => {
    useCredentials(server)
    test.each(verbs)('to %s', async (_name, act) => {
      const remote = await open({ bucket: `${bucket}-absent` })
      const error = await refusalOf(act(remote), server.secretAccessKey)
      expect(error).toMatchObject({ code: 'REMOTE_FAILED' })
      expect(error.message).toContain('no such bucket')
    })
  })
})
