import { describe, expect, test } from 'vitest'
import type { CurrentRemote } from './remote-contract.ts'
import { keysOf, readBytes, sourceOf } from './sources.ts'

/** What is read-only says so in one line, and leaves everything as it is. */
export function describeReadOnly(remote: CurrentRemote, writer: CurrentRemote): void {
  describe('a change', () => {
    const refusal = { code: 'REMOTE_FAILED', message: expect.stringContaining('read-only'), retryable: false }

    test('is refused: write, write if absent, remove', async () => {
      await writer().write('packs/ab/x', sourceOf('old'))
      await expect(remote().write('packs/ab/x', sourceOf('new'))).rejects.toMatchObject(refusal)
      await expect(remote().write('new', sourceOf('x'), { ifAbsent: true })).rejects.toMatchObject(refusal)
      await expect(remote().remove('packs/ab/x')).rejects.toMatchObject(refusal)
      expect(await keysOf(writer(), '')).toEqual(['packs/ab/x'])
      expect((await readBytes(remote(), 'packs/ab/x')).toString()).toBe('old')
    })
  })
}
