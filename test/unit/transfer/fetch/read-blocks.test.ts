import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../../../core/content-id.ts'
import type { PackEntry, PackName } from '../../../../core/format/pack.ts'
import type { Remote } from '../../../../core/remote.ts'
import type { ChunkBlock } from '../../../../core/store/chunk-source.ts'
import { packKey } from '../../../../core/store/store-layout.ts'
import { cutBlocks } from '../../../../core/transfer/fetch/cut-blocks.ts'
import { readBlocks } from '../../../../core/transfer/fetch/read-blocks.ts'
import { sourceOf } from '../../../../core/transfer/objects/source-of.ts'
import { createMemoryRemote } from '../../../../remotes/memory.ts'
import { noise } from '../../../support/build-store.ts'
import { varveErrorFrom } from '../../../support/varve-error.ts'

const PACK = 'a'.repeat(64) as PackName
const BYTES = noise(6 << 20, 1)

/** Entries at these offsets and of these lengths. */
function entriesAt(...places: [number, number][]): PackEntry[] {
  return places.map(([offset, storedBytes]) => ({
    ...{ kind: 'chunk', codec: 'raw', offset, storedBytes, rawBytes: storedBytes, checksum: 0n },
    digest: digestOf(BYTES.subarray(offset, offset + storedBytes)),
  }))
}

function rangeOf(entries: PackEntry[]) {
  const { offset, storedBytes } = entries.at(-1)!
  return { pack: PACK, start: entries[0]!.offset, endExclusive: offset + storedBytes, entries }
}

async function remoteWith(bytes: Buffer): Promise<Remote> {
  const remote = createMemoryRemote()
  await remote.write(packKey(PACK), sourceOf(bytes))
  return remote
}

async function read(remote: Remote, entries: PackEntry[]): Promise<ChunkBlock[]> {
  const blocks: ChunkBlock[] = []
  await readBlocks(remote, rangeOf(entries), {
    copy: 1,
    async onBlock(block) {
      blocks.push(block)
    },
  })
  return blocks
}

const MANY = entriesAt(...Array.from({ length: 60 }, (_, i): [number, number] => [16 + i * 100_000, 99_000]))

describe('readBlocks', () => {
  test.each([7, 70_000, 5 << 20])('gives whole entries, from pieces of %i bytes', async (pieceBytes) => {
    const inner = await remoteWith(BYTES)
    const remote: Remote = {
      ...inner,
      async read(key, options) {
        const all = Buffer.concat(await (await inner.read(key, options)).toArray())
        const pieces = Math.ceil(all.length / pieceBytes)
        return Readable.from(
          Array.from({ length: pieces }, (_, i) => all.subarray(i * pieceBytes, (i + 1) * pieceBytes)),
        )
      },
    }
    const blocks = await read(remote, pieceBytes < 100 ? MANY.slice(0, 3) : MANY)
    const given = blocks.flatMap(({ entries, bytes, start }) =>
      entries.map(({ digest, offset, storedBytes }) => ({
        digest,
        found: digestOf(bytes.subarray(offset - start, offset - start + storedBytes)),
      })),
    )
    expect(given).toHaveLength(pieceBytes < 100 ? 3 : 60)
    for (const { digest, found } of given) expect(found).toEqual(digest)
    for (const { bytes } of blocks) expect(bytes.buffer.byteLength).toBe(bytes.byteLength)
  })

  test('of a pack that is shorter is an error that names it, after the blocks that are whole', async () => {
    const { code, message } = await varveErrorFrom(read(await remoteWith(BYTES.subarray(0, 5 << 20)), MANY))
    expect(code).toBe('CORRUPT')
    expect(message).toContain(`${PACK} is cut short`)
  })

  test('takes no more than was asked for, however much comes', async () => {
    let given = 0
    const endless: Remote = {
      ...createMemoryRemote(),
      async read() {
        return new Readable({
          read() {
            this.push(BYTES.subarray(16 + given, 16 + given + 50_000))
            given += 50_000
          },
        })
      },
    }
    expect(await read(endless, MANY.slice(0, 2))).toHaveLength(1)
    expect(given).toBeLessThan(1 << 20)
  })
})

test('cutBlocks leaves out what lies between blocks, and cuts no entry', () => {
  const entries = entriesAt([16, 1 << 20], [2 << 20, 1 << 20], [4 << 20, 100], [(4 << 20) + 100, 100])
  const blocks = cutBlocks({ entries })
  expect(blocks.map(({ start, endExclusive }) => [start, endExclusive])).toEqual([
    [16, 16 + (1 << 20)],
    [2 << 20, 3 << 20],
    [4 << 20, (4 << 20) + 200],
  ])
  expect(blocks.flatMap((block) => block.entries)).toEqual(entries)
})
