import { VarveError } from '../errors.ts'
import type { Pointer } from '../format/pointer.ts'
import type { GitObjectId } from '../git/object-id.ts'
import { readBlobs } from '../git/read-blobs.ts'
import { parseTracked } from './tracked.ts'
import type { Workbench } from './workbench.ts'

/** A pointer of some commit, or what is wrong with it. */
export type ReadPointer = { pointer: Pointer; problem?: undefined } | { pointer: undefined; problem: string }

/** Reads blobs of old commits as pointers. What is wrong with one is its answer: nobody can mend history. */
export async function readPointersLeniently(
  workbench: Workbench,
  blobShas: readonly (GitObjectId | undefined)[],
): Promise<(pointerPath: string, blobSha: GitObjectId) => ReadPointer> {
  const contents = new Map<GitObjectId, Buffer | undefined>()
  const wanted = new Set(blobShas.filter((blobSha) => blobSha !== undefined))
  for await (const { blobSha, bytes } of readBlobs(workbench.project.repository, wanted)) {
    contents.set(blobSha, bytes)
  }
  return (pointerPath, blobSha) => {
    const bytes = contents.get(blobSha)
    if (bytes === undefined) return { pointer: undefined, problem: 'too large for a pointer' }
    try {
      return { pointer: parseTracked(pointerPath, bytes, pointerPath).pointer }
    } catch (error) {
      if (error instanceof VarveError) return { pointer: undefined, problem: error.message }
      throw error
    }
  }
}
