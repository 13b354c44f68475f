import { type Dirent, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isPackName, type PackName } from '../format/pack.ts'
import { isSegmentName, type SegmentName } from '../format/segment.ts'
import { indexFolder, packKey, packsFolder, temporaryFolder } from './store-layout.ts'

export type StoredFiles = {
  segments: SegmentName[]
  packs: { name: PackName; sizeBytes: number }[]
  /** What crashed processes left, and what is not of Varve. Paths are relative to the root. */
  leftovers: { path: string; sizeBytes: number }[]
}

/**
 * Lists the files of a store without opening any. Segments are listed before packs: every pack that a listed segment
 * names was there before it, so a pack that is not listed is not there.
 */
export function listStoredFiles(root: string): StoredFiles {
  const files: StoredFiles = { segments: [], packs: [], leftovers: [] }
  const leave = (path: string) => files.leftovers.push({ path, sizeBytes: sizeOf(join(root, path)) ?? 0 })
  for (const entry of entriesOf(indexFolder(root))) {
    const name = entry.name.slice(0, -'.idx'.length)
    if (entry.isFile() && entry.name.endsWith('.idx') && isSegmentName(name)) files.segments.push(name)
    else leave(`index/${entry.name}`)
  }
  for (const folder of entriesOf(packsFolder(root))) {
    if (!folder.isDirectory()) {
      leave(`packs/${folder.name}`)
      continue
    }
    for (const entry of entriesOf(join(packsFolder(root), folder.name))) {
      const path = `packs/${folder.name}/${entry.name}`
      const name = entry.name.slice(0, -'.pack'.length)
      const sizeBytes = sizeOf(join(root, path))
      if (!isPackName(name) || packKey(name) !== path) leave(path)
      else if (sizeBytes !== undefined) files.packs.push({ name, sizeBytes })
    }
  }
  for (const entry of entriesOf(temporaryFolder(root))) leave(`tmp/${entry.name}`)
  return files
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Undefined where it is gone meanwhile. */
function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size
}
