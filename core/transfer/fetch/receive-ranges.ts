import pLimit from 'p-limit'
import { VarveError } from '../../errors.ts'
import type { PackEntry, PackName } from '../../format/pack.ts'
import type { Remote } from '../../remote.ts'
import { decodeEntry, verifyChecksum } from '../../store/entry-codec.ts'
import { PackWriter, type SealedPack } from '../../store/pack-writer.ts'
import type { Store } from '../../store/store.ts'
import { packKey } from '../../store/store-layout.ts'
import { throwIfAborted } from '../../workers/workers.ts'
import { readWhole } from '../objects/read-whole.ts'
import { type OnMended, untilUndamaged } from '../objects/until-undamaged.ts'

/** Bytes of a remote pack that are read in one request, and the entries in them that are wanted. */
export type PackRange = { pack: PackName; start: number; endExclusive: number; entries: PackEntry[] }

/**
 * Reads ranges of packs, several at once, verifies each wanted entry, and writes these into packs of the store.
 * @throws NOT_FOUND, CORRUPT
 */
export async function receiveRanges(options: {
  remote: Remote
  store: Store
  ranges: readonly PackRange[]
  jobs: number
  onPack: (pack: SealedPack) => void
  onBytes?: ((count: number) => void) | undefined
  onMended?: OnMended | undefined
  signal?: AbortSignal | undefined
}): Promise<void> {
  const { remote, store, ranges, jobs, onPack, onBytes, onMended, signal } = options
  if (ranges.length === 0) return
  const writer = new PackWriter({ root: store.root, class: 'data', onSealed: onPack })
  const limit = pLimit(jobs)
  try {
    await Promise.all(
      ranges.map((range) =>
        limit(async () => {
          throwIfAborted(signal)
          const bytes = await untilUndamaged(() => readVerified(remote, range, signal), onMended)
          onBytes?.(bytes.length)
          for (const entry of range.entries) writer.appendStored(entry, storedOf(entry, range, bytes))
        }),
      ),
    )
    writer.seal()
  } catch (error) {
    limit.clearQueue()
    writer.discard()
    throw error
  }
}

async function readVerified(
  remote: Remote,
  range: PackRange,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const bytes = await readRange(remote, range, signal)
  for (const entry of range.entries) verify(remote, range.pack, entry, storedOf(entry, range, bytes))
  return bytes
}

function storedOf(entry: PackEntry, range: PackRange, bytes: Buffer): Buffer {
  const at = entry.offset - range.start
  return bytes.subarray(at, at + entry.storedBytes)
}

async function readRange(remote: Remote, range: PackRange, signal: AbortSignal | undefined): Promise<Buffer> {
  const { pack, start, endExclusive } = range
  const lengthBytes = endExclusive - start
  const bytes = await readWhole(remote, packKey(pack), {
    mostBytes: lengthBytes,
    range: { start, endExclusive },
    signal,
  })
  if (bytes.length === lengthBytes) return bytes
  throw new VarveError('CORRUPT', `${remote.label}: pack ${pack} is cut short`, {
    hint: `Remove ${packKey(pack)} from the remote and run \`varve push --all\` in a clone that has the data.`,
  })
}

function verify(remote: Remote, pack: PackName, entry: PackEntry, stored: Buffer): void {
  try {
    verifyChecksum(entry, stored)
    decodeEntry({ ...entry, stored })
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
    throw new VarveError(error.code, `${remote.label}: pack ${pack}: ${error.message}`, {
      hint: `Run the command again; if it stays so, remove ${packKey(pack)} from the remote and run \`varve push --all\` in a clone that has the data.`,
      cause: error,
    })
  }
}
