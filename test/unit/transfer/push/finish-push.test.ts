import { expect, test } from 'vitest'
import { VarveError } from '../../../../core/errors.ts'
import { finishPush } from '../../../../core/transfer/push/finish-push.ts'
import { rehearse } from '../../../../core/transfer/push/rehearsal-remote.ts'
import { createMemoryRemote } from '../../../../remotes/memory.ts'
import { withCounting } from '../../../../remotes/with-counting.ts'
import { addVersion } from '../../../support/build-store.ts'
import { intercepting, keysOf, makeClone, push, reopen } from '../../../support/remote-fixture.ts'

const CONTENT = { a: 'one', b: 'two' }

/** A clone of which a push was cut off at the first write of a key that `isCut` holds of. */
async function cutOff(isCut: (key: string) => boolean) {
  const { remote, counts } = withCounting(createMemoryRemote())
  const through = intercepting(remote, (_, key) => {
    if (isCut(key)) throw new VarveError('REMOTE_FAILED', 'cut off')
  })
  const clone = makeClone(through)
  await expect(push(clone, [addVersion(clone.store, CONTENT)])).rejects.toThrow('cut off')
  const next = reopen(clone, remote)
  await next.view.refreshRecords()
  counts.list = 0
  counts.stat = 0
  return { remote, counts, next }
}

test('a push that was cut off before its segment gets it', async () => {
  const { remote, counts, next } = await cutOff((key) => key.startsWith('index/'))
  const rehearsed = rehearse(remote)
  await finishPush(next.view.rehearsal(rehearsed.remote), { isRehearsal: true })
  expect(rehearsed.requests.write).toBe(1)
  expect(await keysOf(remote, 'index/')).toEqual([])
  await finishPush(next.view, {})
  expect(await keysOf(remote, 'index/')).toHaveLength(1)
  // Another repository need not send the same.
  const other = makeClone(remote, 'f'.repeat(32))
  const entry = addVersion(other.store, CONTENT)
  expect(await push(other, [entry], { repositoryId: 'f'.repeat(32) })).toMatchObject({ packs: 0 })
  counts.list = 0
  counts.stat = 0
  await finishPush(next.view, {})
  expect([counts.list, counts.stat]).toEqual([0, 0])
})

test('what has no final record is left to the push that goes on with it', async () => {
  const { remote, next } = await cutOff((key) => key.endsWith('.final'))
  await finishPush(next.view, {})
  expect(await keysOf(remote, 'index/')).toEqual([])
  expect(await push(next, [addVersion(next.store, CONTENT)])).toMatchObject({ packs: 0 })
  expect(await keysOf(remote, 'index/')).toHaveLength(1)
})
