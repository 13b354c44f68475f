import { lstatSync } from 'node:fs'
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { VarveError } from '../errors.ts'
import { foldersAbove } from '../folders-above.ts'
import { nameProblem, quoteName } from '../format/names.ts'
import { firstTrackedUnder } from '../git/first-tracked-under.ts'
import { POINTER_SUFFIX } from '../git/pointer-path.ts'
import { hasWildcards } from '../path-filter.ts'
import { toRepositoryPath } from '../project.ts'
import { refuseOddIgnoreFile } from '../workspace/git-ignore-file.ts'
import { pointerPathOf, refuseOddPointer } from './tracked.ts'
import { typedPath } from './typed-path.ts'
import type { Workbench } from './workbench.ts'

/**
 * The paths that the user's arguments mean, relative to the root, each fit to be tracked.
 * @throws USAGE, NOT_FOUND, OUTSIDE_REPOSITORY, ALREADY_TRACKED, UNSUPPORTED_FILE
 */
export async function findPathsToAdd(
  workbench: Workbench,
  trackedPaths: readonly string[],
  userPaths: readonly string[],
): Promise<string[]> {
  const paths = new Set<string>()
  for (const userPath of userPaths) {
    for (const path of await expand(workbench, userPath)) paths.add(path)
  }
  const kept = [...paths].filter((path) => !hasParentIn(paths, path)).sort()
  const overlaps = overlapsWith(trackedPaths)
  for (const path of kept) refuseUnfit(workbench, path, overlaps(path))
  await refuseTrackedByGit(workbench, kept)
  return kept
}

/** A path that is there stands for itself, whatever wildcards its name seems to have. */
async function expand(workbench: Workbench, userPath: string): Promise<string[]> {
  const { root, prefix } = workbench.project.repository
  const cwd = resolve(root, prefix)
  if (exists(resolve(cwd, userPath))) {
    const path = toRepositoryPath(workbench.project, userPath)
    return [path.endsWith(POINTER_SUFFIX) ? pointedTo(workbench, path) : path]
  }
  if (!hasWildcards(userPath)) {
    const path = toRepositoryPath(workbench.project, userPath)
    const isPulled = !exists(join(root, `${path}${POINTER_SUFFIX}`))
    throw new VarveError('NOT_FOUND', `${userPath} does not exist`, {
      hint: isPulled
        ? hintFromRoot(workbench, userPath)
        : `It is tracked, but not in the workspace: run \`varve pull ${userPath}\` or \`varve checkout ${userPath}\`.`,
    })
  }
  // It is CommonJS: in a bundle, `default` is all that it exports.
  const { default: glob } = await import('fast-glob')
  const ignore = ['**/.git/**', `**/*${POINTER_SUFFIX}`, '**/.gitignore']
  const found = await glob(userPath, {
    cwd,
    ignore,
    onlyFiles: false,
    dot: false,
    followSymbolicLinks: false,
  })
  if (found.length > 0) return found.map((match) => toRepositoryPath(workbench.project, match))
  throw new VarveError('NOT_FOUND', `nothing matches ${userPath}`, {
    hint: 'Check the pattern: `**` stands for any number of directories, `*` for part of one name.',
  })
}

/** Other commands print paths from the root: who copies one into a command typed in a folder means that. */
function hintFromRoot(workbench: Workbench, userPath: string): string {
  const { root } = workbench.project.repository
  const fromRoot = relative(root, join(root, userPath)).split(sep).join('/')
  const isInside = fromRoot !== '' && !fromRoot.startsWith('..') && !isAbsolute(userPath)
  if (!isInside || !exists(join(root, fromRoot)))
    return 'Check the path; quote a pattern so that varve expands it.'
  return `Did you mean ${typedPath(workbench, fromRoot)}? Paths are read from the current folder.`
}

/** Naming the pointer means the data beside it. */
function pointedTo(workbench: Workbench, pointerPath: string): string {
  const path = pointerPath.slice(0, -POINTER_SUFFIX.length)
  if (exists(join(workbench.root, path))) return path
  throw new VarveError('USAGE', `${pointerPath} is a pointer; git keeps it, varve keeps what it stands for`, {
    hint: `Bring the data first: \`varve pull ${path}\`.`,
  })
}

function hasParentIn(paths: ReadonlySet<string>, path: string): boolean {
  return foldersAbove(path).some((folder) => paths.has(folder))
}

/** Tracked paths that a path lies in, or has in it. */
type Overlap = { above: string | undefined; below: string | undefined }

function overlapsWith(trackedPaths: readonly string[]): (path: string) => Overlap {
  const tracked = new Set(trackedPaths)
  const firstBelow = new Map<string, string>()
  for (const path of trackedPaths) {
    for (const folder of foldersAbove(path)) if (!firstBelow.has(folder)) firstBelow.set(folder, path)
  }
  return (path) => ({
    above: foldersAbove(path).find((folder) => tracked.has(folder)),
    below: firstBelow.get(path),
  })
}

function refuseUnfit(workbench: Workbench, path: string, { above, below }: Overlap): void {
  if (path === '') {
    throw new VarveError('USAGE', 'the root of the repository cannot be tracked as a whole', {
      hint: 'Name files or directories in it; `varve add -u` takes in what changed in those that are tracked.',
    })
  }
  for (const name of [...path.split('/'), pointerPathOf(basename(path))]) {
    const problem = nameProblem(name)
    if (problem === undefined) continue
    throw new VarveError('UNSUPPORTED_FILE', `${quoteName(path)}: the name ${quoteName(name)} ${problem}`, {
      hint: 'Rename it.',
    })
  }
  refuseLinkedParent(workbench, path)
  refuseOddPointer(workbench.root, pointerPathOf(path))
  refuseOddIgnoreFile(workbench.root, path)
  if (above !== undefined) {
    throw new VarveError('ALREADY_TRACKED', `${path} lies in ${above}, which is tracked as a whole`, {
      hint: `Run \`varve add ${typedPath(workbench, above)}\` to take in what changed there.`,
    })
  }
  if (below !== undefined) {
    throw new VarveError('ALREADY_TRACKED', `${path} has ${below} in it, which is tracked by itself`, {
      hint: `Run \`varve add -u ${typedPath(workbench, path)}\` to take in what changed there, or name what is new.`,
    })
  }
}

async function refuseTrackedByGit(workbench: Workbench, paths: readonly string[]): Promise<void> {
  const found = await firstTrackedUnder(workbench.project.repository, paths)
  for (const path of paths) {
    const inGit = found.get(path)
    if (inGit === undefined) continue
    throw new VarveError('ALREADY_TRACKED', `git already tracks ${inGit}`, {
      hint: `Take it out of git, but not off the disk: \`git rm -r --cached ${typedPath(workbench, path)}\`, then run this again.`,
    })
  }
}

/** A path through a link would be one thing here and another in the next clone. */
function refuseLinkedParent(workbench: Workbench, path: string): void {
  for (const parent of foldersAbove(path)) {
    if (!lstatSync(join(workbench.root, parent)).isSymbolicLink()) continue
    throw new VarveError('UNSUPPORTED_FILE', `${path} lies behind the symbolic link ${parent}`, {
      hint: `Add the link itself (\`varve add ${basename(parent)}\`), or what it leads to where it really is.`,
    })
  }
}

function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}
