import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { readIndexPointers } from '../git/read-index-pointers.ts'
import { isAtOrBelow } from '../path-filter.ts'
import { listPointers, pointerPathOf } from './tracked.ts'
import type { Workbench } from './workbench.ts'

/**
 * Data that stands in the workspace though no pointer names it any more: git went to a commit that does not have it. It
 * is not ignored there either, so that `git add .` would take it.
 */
export async function leftBehind(workbench: Workbench): Promise<string[]> {
  const remembered = workbench.state.paths
  if (remembered.length === 0) return []
  const inIndex = new Set((await readIndexPointers(workbench.project.repository)).map(({ path }) => path))
  const tracked = (await listPointers(workbench)).map(({ path }) => path)
  return remembered.filter((path) => {
    if (
      inIndex.has(pointerPathOf(path)) ||
      tracked.some((one) => isAtOrBelow(path, one) || isAtOrBelow(one, path))
    ) {
      return false
    }
    return lstatSync(join(workbench.root, path), { throwIfNoEntry: false }) !== undefined
  })
}
