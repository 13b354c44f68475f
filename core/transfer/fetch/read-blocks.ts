import { VarveError } from '../../errors.ts'
import type { Remote } from '../../remote.ts'
import type { ChunkBlock } from '../../store/chunk-source.ts'
import { packKey } from '../../store/store-layout.ts'
import { cutBlocks, type RangeBlock } from './cut-blocks.ts'
import type { PackRange } from './receive-ranges.ts'

/**
 * Reads a range of a remote pack in one request, and gives it block by block as the bytes come. The next one is read
 * when `onBlock` is done with the last.
 * @throws NOT_FOUND; CORRUPT where the pack is shorter
 */
export async function readBlocks(
  remote: Remote,
  range: PackRange,
  options: {
    copy: number
    onBlock: (block: ChunkBlock) => Promise<void>
    signal?: AbortSignal | undefined
  },
): Promise<void> {
  const { pack, start, endExclusive } = range
  const { copy, onBlock, signal } = options
  const blocks = cutBlocks(range)
  const stream = await remote.read(packKey(pack), {
    range: { start, endExclusive },
    ...(signal && { signal }),
  })
  let next = 0
  let filling = bufferFor(blocks[next])
  let position = start
  for await (const piece of stream) {
    const bytes: Uint8Array = piece
    for (let block = blocks[next]; block !== undefined; block = blocks[next]) {
      const from = Math.max(block.start, position)
      const to = Math.min(block.endExclusive, position + bytes.length)
      if (to > from) filling.set(bytes.subarray(from - position, to - position), from - block.start)
      if (position + bytes.length < block.endExclusive) break
      await onBlock({ pack, start: block.start, bytes: filling, entries: block.entries, copy })
      filling = bufferFor(blocks[++next])
    }
    position += bytes.length
    // More than was asked for. What is exact is read to its end, so that the connection can serve the next request.
    if (position > endExclusive) break
  }
  if (next === blocks.length) return
  throw new VarveError('CORRUPT', `${remote.label}: pack ${pack} is cut short`, {
    hint: `Remove ${packKey(pack)} from the remote and run \`varve push --all\` in a clone that has the data.`,
  })
}

function bufferFor(block: RangeBlock | undefined): Uint8Array<ArrayBuffer> {
  return new Uint8Array(block === undefined ? 0 : block.endExclusive - block.start)
}
