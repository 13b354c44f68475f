import { expect, test } from 'vitest'
import { createMemoryRemote } from '../../remotes/memory.ts'
import { describeRemoteContract } from './remote-contract.ts'
import { readBytes, sourceOf } from './sources.ts'

describeRemoteContract('memory', async () => ({ remote: createMemoryRemote(), cleanUp: async () => {} }))

test('the memory remote takes its time from the clock that it is given', async () => {
  const remote = createMemoryRemote({ now: () => new Date('2001-02-03T04:05:06Z') })
  await remote.write('key', sourceOf('x'))
  expect((await remote.stat('key'))?.modifiedAt.toISOString()).toBe('2001-02-03T04:05:06.000Z')
})

test('who changes the bytes that were read does not change the value', async () => {
  const remote = createMemoryRemote()
  await remote.write('key', sourceOf('value'))
  ;(await readBytes(remote, 'key')).fill(0)
  for await (const piece of await remote.read('key')) piece.fill(0)
  expect((await readBytes(remote, 'key')).toString()).toBe('value')
})
