import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { SegmentName } from '../../format/segment.ts'
import type { Remote } from '../../remote.ts'
import { publishFile } from '../../store/durable.ts'
import { sampleKey, segmentKey, segmentPath, temporaryFolder } from '../../store/store-layout.ts'
import { temporaryPath } from '../../store/temporary-files.ts'
import { writeSample } from '../../store/write-sample.ts'
import { sourceOfFile } from '../objects/source-of.ts'

/**
 * Writes a segment that `make` makes, below the root that it is given, to the remote, then to the copies in `folder`.
 * Until it is on the remote it lies where no other process that uses the same copies comes upon it: it is in no listing.
 * Its sample comes first: where there is a segment to be left out, there is something to stand for it.
 */
export async function publishSegment(
  remote: Remote,
  options: {
    folder: string
    make: (root: string) => SegmentName
    isSampled: (sizeBytes: number) => boolean
    signal?: AbortSignal | undefined
  },
): Promise<void> {
  const { folder, make, isSampled, signal } = options
  const scratch = temporaryPath(temporaryFolder(folder))
  const upload = (key: string, path: string) =>
    remote.write(key, sourceOfFile(path, statSync(path).size), { ...(signal && { signal }) })
  try {
    const name = make(scratch)
    const path = segmentPath(scratch, name)
    if (isSampled(statSync(path).size)) {
      const samples = join(scratch, 'sample')
      writeSample(samples, { path, name })
      await upload(sampleKey(name), segmentPath(samples, name))
    }
    await upload(segmentKey(name), path)
    publishFile(path, segmentPath(folder, name))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
