import { describe, expect, test } from 'vitest'
import type { Source } from '../../core/remote.ts'
import type { CurrentRemote } from './remote-contract.ts'
import { brokenSource, keysOf, readBytes, someBytes, sourceOf, stallingSource } from './sources.ts'

const bytes = someBytes(300_000)

const unreadable: Source = {
  sizeBytes: 10,
  open() {
    throw new Error('cannot be opened')
  },
}

const failures: [name: string, source: Source, error: object][] = [
  ['too few bytes', brokenSource({ claimedBytes: 300_001, bytes }), { code: 'CHANGED_WHILE_READING' }],
  ['too many bytes', brokenSource({ claimedBytes: 299_999, bytes }), { code: 'CHANGED_WHILE_READING' }],
  ['no bytes', brokenSource({ claimedBytes: 1, bytes: Buffer.alloc(0) }), { code: 'CHANGED_WHILE_READING' }],
  ['bytes for an empty value', brokenSource({ claimedBytes: 0, bytes }), { code: 'CHANGED_WHILE_READING' }],
  [
    'an error half-way',
    brokenSource({ claimedBytes: 600_000, bytes, error: new Error('disk on fire') }),
    { message: 'disk on fire' },
  ],
  [
    'an error after the last byte',
    brokenSource({ claimedBytes: 300_000, bytes, error: new Error('disk on fire') }),
    { message: 'disk on fire' },
  ],
  ['an error at once', unreadable, { message: 'cannot be opened' }],
]

/** A write is all or nothing. */
export function describeWriteFailures(remote: CurrentRemote): void {
  describe.each(failures)('write from a source that gives %s', (_name, source, error) => {
    test('leaves nothing behind', async () => {
      await expect(remote().write('packs/ab/x', source)).rejects.toMatchObject(error)
      await expect(remote().write('packs/ab/x', source, { ifAbsent: true })).rejects.toMatchObject(error)
      expect(await remote().stat('packs/ab/x')).toBeUndefined()
      expect(await keysOf(remote(), '')).toEqual([])
    })

    test('leaves the old value as it was', async () => {
      await remote().write('packs/ab/x', sourceOf('old'))
      await expect(remote().write('packs/ab/x', source)).rejects.toMatchObject(error)
      expect((await readBytes(remote(), 'packs/ab/x')).toString()).toBe('old')
      expect(await keysOf(remote(), '')).toEqual(['packs/ab/x'])
    })
  })

  describe('write that is aborted', () => {
    test('before it begins is INTERRUPTED and stores nothing', async () => {
      const writing = remote().write('value', sourceOf('x'), { signal: AbortSignal.abort() })
      await expect(writing).rejects.toMatchObject({ code: 'INTERRUPTED' })
      expect(await keysOf(remote(), '')).toEqual([])
    })

    test.each([false, true])(
      'half-way is INTERRUPTED and stores nothing (ifAbsent: %s)',
      async (ifAbsent) => {
        const controller = new AbortController()
        const source = stallingSource({ claimedBytes: 600_000, bytes, stalled: () => controller.abort() })
        const writing = remote().write('value', source, { ifAbsent, signal: controller.signal })
        await expect(writing).rejects.toMatchObject({ code: 'INTERRUPTED' })
        expect(await keysOf(remote(), '')).toEqual([])
      },
    )

    test('half-way leaves the old value as it was', async () => {
      await remote().write('value', sourceOf('old'))
      const controller = new AbortController()
      const source = stallingSource({ claimedBytes: 600_000, bytes, stalled: () => controller.abort() })
      const writing = remote().write('value', source, { signal: controller.signal })
      await expect(writing).rejects.toMatchObject({ code: 'INTERRUPTED' })
      expect((await readBytes(remote(), 'value')).toString()).toBe('old')
    })
  })
}
