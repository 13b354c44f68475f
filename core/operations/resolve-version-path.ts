import { existsSync } from 'node:fs'
import { join, posix } from 'node:path'
import { VarveError } from '../errors.ts'
import type { TreeEntry } from '../format/tree.ts'
import { listTreePointers } from '../git/list-tree-pointers.ts'
import { POINTER_SUFFIX } from '../git/pointer-path.ts'
import { resolveRevision } from '../git/resolve-revision.ts'
import { isAtOrBelow } from '../path-filter.ts'
import { toRepositoryPath } from '../project.ts'
import { findInTree } from '../store/find-in-tree.ts'
import {
  type BadPointer,
  entryOf,
  type GoodPointer,
  listPointers,
  parseTracked,
  pointerPathOf,
  readPointerBlobs,
  readTracked,
  type Tracked,
} from './tracked.ts'
import type { Workbench } from './workbench.ts'

/** What `[REV:]PATH` means. Without a revision it is what the pointers of the working tree name. */
export type VersionPath = VersionPart | TrackedFolder

/** A tracked path, or (with `inside`, relative to it) something in a tracked directory that may not be there. */
export type VersionPart = {
  kind: 'part'
  revision: string | undefined
  tracked: Tracked
  inside: string
}

/** A folder of the repository, '' for its root, and what is tracked in it. */
export type TrackedFolder = {
  kind: 'folder'
  revision: string | undefined
  path: string
  tracked: Tracked[]
  bad: BadPointer[]
}

/**
 * Reads a path as git does: `REV:PATH` counts from the root, or with `./` or `../` from where the user is; a PATH alone
 * always does the latter. A text with a colon that names something tracked in the working tree means just that.
 * @throws NOT_TRACKED, NOT_FOUND for a revision that is none, OUTSIDE_REPOSITORY; MALFORMED, HOSTILE, TOO_NEW, CONFLICT
 */
export async function resolveVersionPath(workbench: Workbench, text: string): Promise<VersionPath> {
  const colon = colonOf(text)
  if (colon === undefined) {
    const path = toRepositoryPath(workbench.project, text)
    const found = await findPath(workingTree(workbench), path)
    if (found !== undefined) return found
    if (path === '' || `${path}/` === workbench.project.repository.prefix) return emptyFolder(path)
    throw notTracked(text)
  }

  const revision = text.slice(0, colon)
  const plain = await findPlain(workbench, text)
  const isCommit = (await resolveRevision(workbench.project.repository, revision)) !== undefined
  if (plain !== undefined && (!isCommit || isThere(workbench, plain))) return plain
  if (!isCommit) {
    throw new VarveError('NOT_FOUND', `no such commit: ${JSON.stringify(revision)}, in ${text}`, {
      hint: 'Name a branch, a tag or a commit before the colon; `git log --oneline` lists them.',
    })
  }
  const path = pathInRevision(workbench, text.slice(colon + 1))
  const found = await findPath(treeOf(workbench, revision), path)
  if (found !== undefined) return found
  if (path === '') return { ...emptyFolder(''), revision }
  throw notTracked(text)
}

/** The colon between revision and path: the first one outside braces, as those of `HEAD@{12:00}` are not. */
function colonOf(text: string): number | undefined {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '{') depth++
    else if (text[at] === '}') depth--
    else if (text[at] === ':' && depth === 0) return at
  }
  return undefined
}

/** What the whole text names in the working tree, colon and all. */
async function findPlain(workbench: Workbench, text: string): Promise<VersionPart | undefined> {
  // With `..` after the colon, what stands before it would be taken for a folder and cancelled out.
  if (text.split('/').includes('..', 1)) return undefined
  let path: string
  try {
    path = toRepositoryPath(workbench.project, text)
  } catch (error) {
    if (error instanceof VarveError) return undefined
    throw error
  }
  const found = await findPath(workingTree(workbench), path)
  return found?.kind === 'part' ? found : undefined
}

function isThere(workbench: Workbench, { tracked, inside }: VersionPart): boolean {
  try {
    return findInTree(workbench.store, entryOf(tracked), inside) !== undefined
  } catch (error) {
    if (error instanceof VarveError) return false
    throw error
  }
}

function pathInRevision({ project }: Workbench, text: string): string {
  const isRelative = /^\.\.?(\/|$)/.test(text)
  const normal = posix.normalize(isRelative ? `${project.repository.prefix}${text}` : text)
  const path = normal === '.' || normal === './' ? '' : normal.replace(/\/$/, '')
  if (path !== '..' && !path.startsWith('../') && !path.startsWith('/')) return path
  throw new VarveError('OUTSIDE_REPOSITORY', `${text} lies outside the repository`, {
    hint: 'Write the path from the root of the repository, or from here with ./ before it.',
  })
}

/** Where pointers are looked for. */
type PointerSource = {
  revision: string | undefined
  /** The first of these pointers that is there. */
  first(pointerPaths: readonly string[]): Promise<Tracked | undefined>
  /** All below a folder. */
  below(folder: string): Promise<(GoodPointer | BadPointer)[]>
}

function workingTree(workbench: Workbench): PointerSource {
  const { root } = workbench
  return {
    revision: undefined,
    async first(pointerPaths) {
      const found = pointerPaths.find((pointerPath) => existsSync(join(root, pointerPath)))
      return found === undefined ? undefined : readTracked(root, found)
    },
    async below(folder) {
      return (await listPointers(workbench)).filter(({ path }) => isAtOrBelow(path, folder))
    },
  }
}

function treeOf(workbench: Workbench, revision: string): PointerSource {
  const { repository } = workbench.project
  const nameOf = (pointerPath: string) => `${revision}:${pointerPath}`
  return {
    revision,
    async first(pointerPaths) {
      const pointers = await listTreePointers(repository, revision, { paths: pointerPaths })
      for (const pointerPath of pointerPaths) {
        const blobSha = pointers.find(({ path }) => path === pointerPath)?.blobSha
        if (blobSha === undefined) continue
        const contents = await readPointerBlobs(workbench, [blobSha])
        return parseTracked(pointerPath, contents.get(blobSha)!, nameOf(pointerPath))
      }
      return undefined
    },
    async below(folder) {
      const paths = folder === '' ? [] : [folder]
      const pointers = await listTreePointers(repository, revision, { paths })
      const contents = await readPointerBlobs(workbench, new Set(pointers.map(({ blobSha }) => blobSha)))
      return pointers.map(({ path: pointerPath, blobSha }): GoodPointer | BadPointer => {
        try {
          return parseTracked(pointerPath, contents.get(blobSha)!, nameOf(pointerPath))
        } catch (error) {
          if (!(error instanceof VarveError)) throw error
          return {
            path: pointerPath.slice(0, -POINTER_SUFFIX.length),
            pointerPath,
            pointer: undefined,
            error,
          }
        }
      })
    },
  }
}

async function findPath(source: PointerSource, path: string): Promise<VersionPath | undefined> {
  const { revision } = source
  if (path !== '') {
    // The outermost first: what looks like a pointer inside a tracked directory is a file of it.
    const names = path.split('/')
    const paths = names.map((_, at) => names.slice(0, at + 1).join('/'))
    const pointers = paths.map(pointerPathOf)
    if (path.endsWith(POINTER_SUFFIX)) pointers.push(path)
    const tracked = await source.first(pointers)
    if (tracked !== undefined) {
      const inside = path === tracked.pointerPath ? '' : path.slice(tracked.path.length + 1)
      return { kind: 'part', revision, tracked, inside }
    }
  }
  const all = await source.below(path)
  if (all.length === 0) return undefined
  return {
    kind: 'folder',
    revision,
    path,
    tracked: all.filter((one): one is GoodPointer => one.error === undefined),
    bad: all.filter((one): one is BadPointer => one.error !== undefined),
  }
}

function emptyFolder(path: string): TrackedFolder {
  return { kind: 'folder', revision: undefined, path, tracked: [], bad: [] }
}

function notTracked(text: string): VarveError {
  return new VarveError('NOT_TRACKED', `varve does not track ${text}`, {
    hint: '`varve ls` lists what is tracked here, `varve ls REV:` what was tracked in a revision.',
  })
}

/** The path of a part, from the root of the repository. */
export function pathOfPart({ tracked, inside }: VersionPart): string {
  return inside === '' ? tracked.path : `${tracked.path}/${inside}`
}

/** An error for a part that the version does not have. */
export function notInVersion(part: VersionPart, entry: TreeEntry): VarveError {
  const where = part.revision === undefined ? '' : ` in ${part.revision}`
  const what = entry.kind === 'dir' ? 'has no such file' : `is a ${entry.kind}, not a directory`
  return new VarveError('NOT_FOUND', `${pathOfPart(part)}: ${part.tracked.path}${where} ${what}`, {
    hint: `Run \`varve ls ${part.revision === undefined ? '' : `${part.revision}:`}${part.tracked.path}\` to see what is in it.`,
  })
}
