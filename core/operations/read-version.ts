import { type ContentId, contentIdFromDigest } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import type { TreeEntry } from '../format/tree.ts'
import { PathFilter } from '../path-filter.ts'
import { readBlob } from '../store/read-blob.ts'
import { fetchPart } from './fetch-part.ts'
import { openPart } from './open-part.ts'
import { pathOfPart, resolveVersionPath, type VersionPath } from './resolve-version-path.ts'
import { entryOf } from './tracked.ts'
import type { Workbench } from './workbench.ts'

export type VersionFile = {
  path: string
  id: ContentId
  sizeBytes: number
  /**
   * The bytes, piece by piece. Each piece is verified; the whole is once the last piece is taken, and then a
   * CORRUPT error may say that what was given is not the file.
   */
  pieces: Iterable<Buffer>
}

/**
 * Opens a file of a version for reading; of its bytes, what the store lacks is fetched.
 * @throws NOT_TRACKED, NOT_FOUND, USAGE for a directory or a link, MISSING_BYTES, CORRUPT
 */
export async function readVersion(
  workbench: Workbench,
  options: { path: string; remoteName?: string | undefined },
): Promise<VersionFile> {
  const part = await resolveVersionPath(workbench, options.path)
  if (part.kind === 'folder') throw notAFile(part, options.path, 'a folder of the repository')
  const remoteName = options.remoteName
  const entry = await openPart(workbench, part, { remoteName })
  if (entry.kind === 'dir') throw notAFile(part, options.path, 'a directory')
  if (entry.kind === 'link') throw linkHasNoBytes(options.path, entry.target)

  const { tracked } = part
  const path = pathOfPart(part)
  const filter = PathFilter.literal([path])
  // From the root of the version: a filter that passes all of it would have whole packs fetched.
  await fetchPart(workbench, { tracked, path: tracked.path, entry: entryOf(tracked), filter, remoteName })
  return fileOf(workbench, path, entry)
}

function fileOf(
  workbench: Workbench,
  path: string,
  { digest, sizeBytes }: Extract<TreeEntry, { digest: unknown }>,
): VersionFile {
  const pieces = copies(readBlob(workbench.store, { digest, sizeBytes, label: path }))
  return { path, id: contentIdFromDigest(digest), sizeBytes, pieces }
}

/** A stream may hold what it is given for longer than the next piece leaves it valid. */
function* copies(pieces: Iterable<Buffer>): Generator<Buffer, void, undefined> {
  for (const piece of pieces) yield Buffer.from(piece)
}

function notAFile({ revision }: VersionPath, text: string, what: string): VarveError {
  const inRevision = revision === undefined ? '' : ` in ${revision}`
  return new VarveError('USAGE', `${text} is ${what}${inRevision}, which has no bytes of its own`, {
    hint: `Run \`varve ls ${text}\` to see what is in it, and name a file.`,
  })
}

function linkHasNoBytes(text: string, target: string): VarveError {
  return new VarveError('USAGE', `${text} is a symbolic link to ${target}, which has no bytes of its own`, {
    hint: 'Name the file that it leads to.',
  })
}
