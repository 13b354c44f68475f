import { expect, test } from 'vitest'
import type { Sourced } from '../../../core/config/config.ts'
import { folderNameOf } from '../../../core/operations/workbench.ts'

const nameOf = (settings: Record<string, string>) =>
  folderNameOf(
    new Map(
      Object.entries(settings).map(([key, value]): [string, Sourced<string>] => [
        key,
        { value, source: 'committed' },
      ]),
    ),
  )

const url = 's3://bucket/photos'

test('what is known of a remote belongs to its place: the URL, and whatever else says where that is', () => {
  const names = [
    nameOf({ url }),
    nameOf({ url: `${url}2` }),
    nameOf({ url, endpointUrl: 'https://a.example' }),
    nameOf({ url, endpointUrl: 'https://b.example' }),
    nameOf({ url, region: 'eu-central-1' }),
    nameOf({ url, profile: 'eu-central-1' }),
    nameOf({ url, endpointUrl: 'https://a.example', region: 'eu-central-1' }),
  ]
  expect(new Set(names).size).toBe(names.length)
  for (const name of names) expect(name).toMatch(/^[0-9a-f]{32}$/)
})

test('it does not depend on how things are stored, nor on the order of the settings', () => {
  expect(nameOf({ url, storageClass: 'STANDARD_IA', acl: 'private', forcePathStyle: 'true' })).toBe(
    nameOf({ url }),
  )
  expect(nameOf({ region: 'x', url, endpointUrl: 'https://a.example' })).toBe(
    nameOf({ endpointUrl: 'https://a.example', url, region: 'x' }),
  )
})
