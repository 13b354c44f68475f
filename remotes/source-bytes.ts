import { fromSystemError, VarveError } from '../core/errors.ts'
import type { Key, Source } from '../core/remote.ts'
import { destroyOnAbort, throwIfAborted } from './interruption.ts'

/**
 * The bytes of `source`, in pieces, exactly `source.sizeBytes` of them.
 * @throws CHANGED_WHILE_READING when the source gives more or fewer; INTERRUPTED when `signal` is aborted.
 */
export async function* sourceBytes(
  key: Key,
  source: Source,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  throwIfAborted(signal, `writing ${key}`)
  let count = 0
  try {
    const stream = source.open()
    destroyOnAbort(stream, signal, `writing ${key}`)
    for await (const piece of stream) {
      const bytes: Uint8Array = typeof piece === 'string' ? Buffer.from(piece) : piece
      count += bytes.length
      if (count > source.sizeBytes) break
      yield bytes
    }
  } catch (error) {
    throw fromSystemError(error, `reading what is to be written to ${key}`)
  }
  if (count !== source.sizeBytes) {
    const given = count > source.sizeBytes ? 'more' : `only ${count}`
    throw new VarveError(
      'CHANGED_WHILE_READING',
      `${key} was to be ${source.sizeBytes} bytes, but its source gave ${given}`,
      { hint: 'Run the command again when nothing else is writing to that file.' },
    )
  }
}
