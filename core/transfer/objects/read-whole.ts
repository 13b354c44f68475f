import { createWriteStream } from 'node:fs'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { VarveError } from '../../errors.ts'
import type { ByteRange, Key, Remote } from '../../remote.ts'

/**
 * A remote's value, or a range of it, in memory. The remote's word on its size is not believed.
 * @throws NOT_FOUND; HOSTILE when it gives more than `mostBytes`
 */
export async function readWhole(
  remote: Remote,
  key: Key,
  options: { mostBytes: number; range?: ByteRange; signal?: AbortSignal | undefined },
): Promise<Buffer> {
  const { mostBytes, range, signal } = options
  const stream = await remote.read(key, { ...(range && { range }), ...(signal && { signal }) })
  const parts: Buffer[] = []
  let length = 0
  for await (const part of stream) {
    length += (part as Buffer).length
    if (length > mostBytes) {
      stream.destroy()
      throw tooLong(remote, key, mostBytes)
    }
    parts.push(part as Buffer)
  }
  return Buffer.concat(parts, length)
}

/**
 * A remote's value into a new file.
 * @throws NOT_FOUND; HOSTILE when it gives more than `mostBytes`
 */
export async function readIntoFile(
  remote: Remote,
  key: Key,
  options: {
    path: string
    mostBytes: number
    onBytes?: (count: number) => void
    signal?: AbortSignal | undefined
  },
): Promise<number> {
  const { path, mostBytes, onBytes, signal } = options
  const stream = await remote.read(key, { ...(signal && { signal }) })
  let length = 0
  const meter = new Transform({
    transform(part: Buffer, _encoding, done) {
      length += part.length
      onBytes?.(part.length)
      done(length > mostBytes ? tooLong(remote, key, mostBytes) : null, part)
    },
  })
  await pipeline(stream, meter, createWriteStream(path, { flags: 'wx', mode: 0o444 }))
  return length
}

function tooLong(remote: Remote, key: Key, mostBytes: number): VarveError {
  return new VarveError(
    'HOSTILE',
    `${remote.label}: ${key} is longer than the ${mostBytes} bytes it should have`,
    {
      hint: 'Do not trust this remote; ask who runs it.',
    },
  )
}
