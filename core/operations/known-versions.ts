import type { Pointer } from '../format/pointer.ts'
import { listHistoryPointers } from '../git/list-history-pointers.ts'
import type { GitObjectId } from '../git/object-id.ts'
import { POINTER_SUFFIX } from '../git/pointer-path.ts'
import { readIndexPointers } from '../git/read-index-pointers.ts'
import { readPointersLeniently } from './read-pointers-leniently.ts'
import { listPointers } from './tracked.ts'
import type { Workbench } from './workbench.ts'

/** A version that a pointer names somewhere in this clone. */
export type KnownVersion = {
  path: string
  pointer: Pointer
  inWorkingTree: boolean
  inIndex: boolean
  /** The newest commit, of any branch, that brought this version to this path. */
  commit: GitObjectId | undefined
}

export type KnownVersions = {
  /** One of each path and content. */
  versions: KnownVersion[]
  /** Pointers that cannot be read. */
  unreadable: number
}

/** What the pointers of the working tree, of git's index and of all commits of all branches name. */
export async function listKnownVersions(workbench: Workbench): Promise<KnownVersions> {
  const { repository } = workbench.project
  const found = new Map<string, KnownVersion>()
  const bad = new Set<string>()
  const note = (path: string, pointer: Pointer, where: Partial<KnownVersion>) => {
    const key = `${pointer.kind === 'link' ? `link ${pointer.target}` : pointer.id} ${path}`
    const known = found.get(key) ?? { path, pointer, inWorkingTree: false, inIndex: false, commit: undefined }
    found.set(key, { ...known, ...where, commit: known.commit ?? where.commit })
  }

  for (const { path, pointer } of await listPointers(workbench)) {
    if (pointer === undefined) bad.add(path)
    else note(path, pointer, { inWorkingTree: true })
  }
  const staged = (await readIndexPointers(repository)).filter(({ stage }) => stage === 0)
  const committed = []
  for await (const one of listHistoryPointers(repository, { include: [], all: true })) committed.push(one)
  const all = [
    ...staged.map((one) => ({ ...one, where: { inIndex: true } })),
    ...committed.map((one) => ({ ...one, where: { commit: one.commit } })),
  ]
  const read = await readPointersLeniently(
    workbench,
    all.map(({ blobSha }) => blobSha),
  )
  for (const { path, blobSha, where } of all) {
    const { pointer } = read(path, blobSha)
    if (pointer === undefined) bad.add(`${blobSha} ${path}`)
    else note(path.slice(0, -POINTER_SUFFIX.length), pointer, where)
  }
  return { versions: [...found.values()], unreadable: bad.size }
}
