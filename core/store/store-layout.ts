import { join } from 'node:path'
import type { PackName } from '../format/pack.ts'
import type { SegmentName } from '../format/segment.ts'

/** Where things lie under a store's root, and (packs, index) under a remote's. */
export function packKey(name: PackName): string {
  return `packs/${name.slice(0, 2)}/${name}.pack`
}

export function segmentKey(name: SegmentName): string {
  return `index/${name}.idx`
}

/** The sample of a segment has its name. */
export function sampleKey(name: SegmentName): string {
  return `sample/${name}.idx`
}

export function packPath(root: string, name: PackName): string {
  return join(root, packKey(name))
}

export function packsFolder(root: string): string {
  return join(root, 'packs')
}

export function indexFolder(root: string): string {
  return join(root, 'index')
}

export function temporaryFolder(root: string): string {
  return join(root, 'tmp')
}

export function segmentPath(root: string, name: SegmentName): string {
  return join(root, segmentKey(name))
}
