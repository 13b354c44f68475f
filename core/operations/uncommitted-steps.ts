import { encodePointer } from '../format/pointer.ts'
import { currentHead } from '../git/current-head.ts'
import { listPointerPaths } from '../git/list-pointer-paths.ts'
import { listTreePointers } from '../git/list-tree-pointers.ts'
import { POINTER_SUFFIX } from '../git/pointer-path.ts'
import { readIndexPointers } from '../git/read-index-pointers.ts'
import { type LogStep, pairRenamedSteps } from './pair-renamed-steps.ts'
import { type ReadPointer, readPointersLeniently } from './read-pointers-leniently.ts'
import { listPointers } from './tracked.ts'
import type { Workbench } from './workbench.ts'

/** How the pointers of the working tree differ from those of HEAD, by path. */
export async function uncommittedSteps(workbench: Workbench): Promise<LogStep[]> {
  const after = new Map<string, ReadPointer>()
  for (const { path, pointer, error } of await listPointers(workbench)) {
    after.set(path, error === undefined ? { pointer } : { pointer: undefined, problem: error.message })
  }
  const before = await headPointers(workbench)
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort()
  const leftOut = paths.every((path) => after.has(path)) ? new Set() : await leftOutOfWorkTree(workbench)
  const steps = paths
    .filter((path) => !leftOut.has(path) && !isSame(before.get(path), after.get(path)))
    .map((path) => ({ commit: undefined, path, before: before.get(path), after: after.get(path) }))
  return pairRenamedSteps(steps)
}

async function headPointers(workbench: Workbench): Promise<Map<string, ReadPointer>> {
  const { repository } = workbench.project
  const head = await currentHead(repository)
  if (head === undefined) return new Map()
  const pointers = await listTreePointers(repository, head)
  const read = await readPointersLeniently(
    workbench,
    pointers.map(({ blobSha }) => blobSha),
  )
  return new Map(pointers.map(({ path, blobSha }) => [trackedPathOf(path), read(path, blobSha)]))
}

/** What git's index holds and a sparse checkout keeps out of the work tree: it is not there, and not deleted. */
async function leftOutOfWorkTree(workbench: Workbench): Promise<Set<string>> {
  const { repository } = workbench.project
  const listed = new Set((await listPointerPaths(repository)).map(({ path }) => path))
  const staged = await readIndexPointers(repository)
  return new Set(staged.filter(({ path }) => !listed.has(path)).map(({ path }) => trackedPathOf(path)))
}

function trackedPathOf(pointerPath: string): string {
  return pointerPath.slice(0, -POINTER_SUFFIX.length)
}

function isSame(a: ReadPointer | undefined, b: ReadPointer | undefined): boolean {
  if (a?.pointer === undefined || b?.pointer === undefined) return a?.problem === b?.problem && !a === !b
  return encodePointer(a.pointer) === encodePointer(b.pointer)
}
