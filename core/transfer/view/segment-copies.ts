import { existsSync, readdirSync, rmSync } from 'node:fs'
import { VarveError } from '../../errors.ts'
import { isSegmentName, type SegmentName } from '../../format/segment.ts'
import { indexFolder, segmentPath } from '../../store/store-layout.ts'
import { readSuperseded } from '../../store/verify-segment.ts'

/** The segments, or samples, that are kept below `root`. */
export function copiesIn(root: string): SegmentName[] {
  const folder = indexFolder(root)
  return existsSync(folder) ? readdirSync(folder).flatMap((file) => segmentNameOf(file) ?? []) : []
}

/** What a copy says it supersedes. One that cannot be opened goes, and is undefined. @throws TOO_NEW */
export function supersededByCopy(root: string, name: SegmentName): SegmentName[] | undefined {
  try {
    return readSuperseded(segmentPath(root, name), name)
  } catch (error) {
    if (error instanceof VarveError && error.code !== 'TOO_NEW') removeCopy(root, name)
    else if (!isMissingFile(error)) throw error
    return undefined
  }
}

export function removeCopy(root: string, name: SegmentName): void {
  rmSync(segmentPath(root, name), { force: true })
}

/** Another process that uses the same copies may have removed one. */
export function isMissingFile(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

export function segmentNameOf(file: string): SegmentName | undefined {
  const name = file.slice(0, -'.idx'.length)
  return file.endsWith('.idx') && isSegmentName(name) ? name : undefined
}
