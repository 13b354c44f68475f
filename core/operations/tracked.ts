import { lstatSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type ContentId, contentIdFromDigest, digestFromContentId } from '../content-id.ts'
import { fromSystemError, VarveError } from '../errors.ts'
import { checkRelativePath } from '../format/names.ts'
import { type Pointer, parsePointer } from '../format/pointer.ts'
import type { TreeEntry } from '../format/tree.ts'
import { listPointerPaths } from '../git/list-pointer-paths.ts'
import { listTreePointers } from '../git/list-tree-pointers.ts'
import type { GitObjectId } from '../git/object-id.ts'
import { POINTER_SUFFIX } from '../git/pointer-path.ts'
import { readBlobs } from '../git/read-blobs.ts'
import type { Workbench } from './workbench.ts'

/** A file or directory that a pointer stands for. Paths are relative to the root. */
export type Tracked = { path: string; pointerPath: string; pointer: Pointer }

export function pointerPathOf(path: string): string {
  return `${path}${POINTER_SUFFIX}`
}

/**
 * What the pointers of the working tree name, sorted by path.
 * @throws CONFLICT, MALFORMED, HOSTILE, TOO_NEW for the first pointer that is not good
 */
export async function listTracked(workbench: Workbench): Promise<Tracked[]> {
  const all = await listPointers(workbench)
  return all.map((one) => {
    if (one.error !== undefined) throw one.error
    return one
  })
}

export type GoodPointer = Tracked & { error?: undefined }
/** A pointer that is not good, and why. */
export type BadPointer = { path: string; pointerPath: string; pointer: undefined; error: VarveError }

/** The same, the bad ones with what is wrong with them: for commands that can do without. */
export async function listPointers(workbench: Workbench): Promise<(GoodPointer | BadPointer)[]> {
  const pointers = await listPointerPaths(workbench.project.repository)
  return pointers
    .filter(({ missing }) => !missing)
    .map(({ path: pointerPath }): GoodPointer | BadPointer => {
      try {
        return readTracked(workbench.root, pointerPath)
      } catch (error) {
        if (!(error instanceof VarveError)) throw error
        return { path: pointerPath.slice(0, -POINTER_SUFFIX.length), pointerPath, pointer: undefined, error }
      }
    })
}

/**
 * What the pointers of a revision name, sorted by path.
 * @throws NOT_FOUND for a revision that is none; MALFORMED, HOSTILE, TOO_NEW
 */
export async function listTrackedAt(workbench: Workbench, revision: string): Promise<Tracked[]> {
  const { repository } = workbench.project
  const pointers = await listTreePointers(repository, revision)
  const contents = await readPointerBlobs(workbench, new Set(pointers.map(({ blobSha }) => blobSha)))
  return pointers.map(({ path, blobSha }) =>
    parseTracked(path, contents.get(blobSha)!, `${revision}:${path}`),
  )
}

/** The texts of pointer blobs. @throws MALFORMED for one that is too large */
export async function readPointerBlobs(
  workbench: Workbench,
  blobShas: Iterable<GitObjectId>,
): Promise<Map<GitObjectId, Buffer>> {
  const contents = new Map<GitObjectId, Buffer>()
  for await (const { blobSha, sizeBytes, bytes } of readBlobs(workbench.project.repository, blobShas)) {
    if (bytes === undefined) {
      throw new VarveError(
        'MALFORMED',
        `git object ${blobSha}: ${sizeBytes} bytes are too many for a pointer`,
      )
    }
    contents.set(blobSha, bytes)
  }
  return contents
}

/** Reads one pointer file of the working tree. @throws NOT_FOUND, MALFORMED, HOSTILE, CONFLICT, TOO_NEW */
export function readTracked(root: string, pointerPath: string): Tracked {
  const absolute = join(root, pointerPath)
  let bytes: Buffer
  try {
    refuseOddPointer(root, pointerPath)
    bytes = readFileSync(absolute)
  } catch (error) {
    throw fromSystemError(error, `reading ${pointerPath}`)
  }
  return parseTracked(pointerPath, bytes, pointerPath)
}

/** @throws HOSTILE for a link or a directory in a pointer's place */
export function refuseOddPointer(root: string, pointerPath: string): void {
  const stats = lstatSync(join(root, pointerPath), { throwIfNoEntry: false })
  if (stats === undefined || stats.isFile()) return
  throw new VarveError('HOSTILE', `${pointerPath} is not a regular file`, {
    hint: 'Remove it, or restore it with `git checkout`.',
  })
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @throws MALFORMED, HOSTILE, CONFLICT, TOO_NEW; `where` is what the message names */
export function parseTracked(pointerPath: string, bytes: Uint8Array, where: string): Tracked {
  const path = pointerPath.slice(0, -POINTER_SUFFIX.length)
  checkRelativePath(path, where)
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch (cause) {
    throw new VarveError('MALFORMED', `${where} is not UTF-8`, {
      hint: 'Restore it with `git checkout`, or add the data again.',
      cause,
    })
  }
  return { path, pointerPath, pointer: parsePointer(text, where) }
}

/** A pointer as the entry of a listing: from here on, a tracked file and a file in a directory are alike. */
export function entryOf({ path, pointer }: Pick<Tracked, 'path' | 'pointer'>): TreeEntry {
  const name = basename(path)
  if (pointer.kind === 'link') return { kind: 'link', name, target: pointer.target }
  return { kind: pointer.kind, name, sizeBytes: pointer.sizeBytes, digest: digestFromContentId(pointer.id) }
}

/** The pointer for an entry; `extra` is what the pointer before had besides. */
export function pointerOf(entry: TreeEntry, files: number, extra: string): Pointer {
  if (entry.kind === 'link') return { kind: 'link', target: entry.target, sizeBytes: 0, extra }
  const { kind, sizeBytes } = entry
  const id = contentIdFromDigest(entry.digest)
  return kind === 'dir' ? { kind, id, sizeBytes, files, extra } : { kind, id, sizeBytes, extra }
}

/** How many files a pointer stands for. */
export function filesOf(pointer: Pointer): number {
  return pointer.kind === 'dir' ? pointer.files : 1
}

/** The content id of a pointer; a link has none. */
export function idOf(pointer: Pointer): ContentId | undefined {
  return pointer.kind === 'link' ? undefined : pointer.id
}
