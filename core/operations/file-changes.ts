import { type Digest, hexOf } from '../content-id.ts'

/** One side of a change: an entry of a version, or a file of the workspace. */
type Side = {
  kind: 'file' | 'executable' | 'link' | 'dir'
  sizeBytes?: number
  digest?: Digest | undefined
  target?: string | undefined
}

export type FileChange = {
  change: 'added' | 'deleted' | 'modified' | 'renamed'
  path: string
  /** Of a renamed file: its path before. */
  from?: string
  sizeBefore?: number
  sizeAfter?: number
}

/** How many files changed how, and by how much the sizes grew and shrank, file by file. */
export type ChangeCounts = {
  added: number
  deleted: number
  modified: number
  renamed: number
  bytesAdded: number
  bytesDeleted: number
}

/** Differences as people count them: files by path, one that is gone here and the same there as renamed. */
export function fileChanges(
  changes: Iterable<{ path: string; before?: Side | undefined; after?: Side | undefined }>,
): FileChange[] {
  const all = [...changes]
  const files = all.filter(({ before, after }) => (before ?? after)!.kind !== 'dir')
  const renames = pairRenames(files)
  const listed = files.flatMap(({ path, before, after }): FileChange[] => {
    if (renames.gone.has(path) && after === undefined) return []
    const from = before === undefined ? renames.from.get(path) : undefined
    const change =
      from !== undefined
        ? 'renamed'
        : before === undefined
          ? 'added'
          : after === undefined
            ? 'deleted'
            : 'modified'
    return [
      {
        change,
        path,
        ...(from !== undefined && { from }),
        ...(before !== undefined && { sizeBefore: before.sizeBytes ?? 0 }),
        ...(after !== undefined && { sizeAfter: after.sizeBytes ?? 0 }),
      },
    ]
  })
  return [...listed, ...emptyDirectories(all, files)].sort((a, b) => (a.path < b.path ? -1 : 1))
}

export function countChanges(changes: readonly FileChange[]): ChangeCounts {
  const counts = { added: 0, deleted: 0, modified: 0, renamed: 0, bytesAdded: 0, bytesDeleted: 0 }
  for (const { change, sizeBefore, sizeAfter } of changes) {
    counts[change]++
    if (change === 'renamed') continue
    const growth = (sizeAfter ?? 0) - (sizeBefore ?? 0)
    if (growth > 0) counts.bytesAdded += growth
    else counts.bytesDeleted -= growth
  }
  return counts
}

/** Pairs each file that is gone with one that is new and has the same content. */
function pairRenames(
  files: readonly { path: string; before?: Side | undefined; after?: Side | undefined }[],
): {
  from: Map<string, string>
  gone: Set<string>
} {
  const goneByContent = new Map<string, string[]>()
  for (const { path, before, after } of files) {
    const key = after === undefined ? contentKey(before!) : undefined
    if (key === undefined) continue
    const paths = goneByContent.get(key) ?? []
    paths.push(path)
    goneByContent.set(key, paths)
  }
  const from = new Map<string, string>()
  const gone = new Set<string>()
  for (const { path, before, after } of files) {
    const key = before === undefined ? contentKey(after!) : undefined
    const source = key === undefined ? undefined : goneByContent.get(key)?.shift()
    if (source === undefined) continue
    from.set(path, source)
    gone.add(source)
  }
  return { from, gone }
}

/** Empty files are all alike: pairing them would tell nothing. */
function contentKey(side: Side): string | undefined {
  if (side.kind === 'link') return `link ${side.target}`
  return side.digest === undefined || side.sizeBytes === 0 ? undefined : hexOf(side.digest)
}

/** Directories that came or went without a file in them. */
function emptyDirectories(
  all: readonly { path: string; before?: Side | undefined; after?: Side | undefined }[],
  files: readonly { path: string }[],
): FileChange[] {
  const directories = all.filter(({ before, after }) => (before ?? after)!.kind === 'dir')
  if (directories.length === 0) return []
  const occupied = new Set<string>()
  for (const { path } of [...files, ...directories]) {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
      occupied.add(path.slice(0, at))
  }
  return directories
    .filter(({ path }) => !occupied.has(path))
    .map(({ path, before }) => ({ change: before === undefined ? 'added' : 'deleted', path: `${path}/` }))
}
