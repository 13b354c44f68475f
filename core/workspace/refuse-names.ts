import { lstatSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { VarveError } from '../errors.ts'
import { findFoldCollisions, quoteName, windowsProblem } from '../format/names.ts'
import type { TreeEntry } from '../format/tree.ts'
import type { PathFilter } from '../path-filter.ts'
import { readDirectory } from '../store/find-in-tree.ts'
import type { Store } from '../store/store.ts'

/**
 * Refuses a version that the filesystem of the workspace cannot hold: two names that it takes for one, or (on
 * Windows) a name that it has no file for. Looked for only where it can happen.
 * @throws UNSUPPORTED_FILE, before anything is written
 */
export function refuseNames(options: {
  root: string
  store: Store
  path: string
  entry: TreeEntry
  filter: PathFilter
  /** For tests: what the filesystem is like. */
  filesystem?: { foldsNames: boolean; isWindows: boolean }
}): void {
  const { root, store, path, entry, filter } = options
  const filesystem = options.filesystem ?? {
    foldsNames: foldsNames(root),
    isWindows: process.platform === 'win32',
  }
  if (!filesystem.foldsNames && !filesystem.isWindows) return
  const visit = (directory: TreeEntry, at: string) => {
    if (directory.kind !== 'dir' || !filter.mayMatchBelow(at)) return
    const entries = readDirectory(store, directory)
    const names = entries.map(({ name }) => name).filter((name) => filter.mayMatchBelow(`${at}/${name}`))
    for (const group of filesystem.foldsNames ? findFoldCollisions(names) : []) {
      throw unsupported(`${at}: ${group.map(quoteName).join(' and ')} are one name on this filesystem`)
    }
    for (const name of filesystem.isWindows ? names : []) {
      const problem = windowsProblem(name)
      if (problem !== undefined) throw unsupported(`${at}: ${quoteName(name)} ${problem}`)
    }
    for (const child of entries) visit(child, `${at}/${child.name}`)
  }
  visit(entry, path)
}

/** Whether the folder can be reached under its name in other letters. */
function foldsNames(root: string): boolean {
  const name = basename(root)
  const swapped = name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase()
  if (swapped === name) return process.platform === 'darwin' || process.platform === 'win32'
  const other = lstatSync(join(dirname(root), swapped), { throwIfNoEntry: false })
  return other !== undefined && other.ino === lstatSync(root).ino
}

function unsupported(message: string): VarveError {
  return new VarveError('UNSUPPORTED_FILE', message, {
    hint: 'Rename one of them on a machine that holds both, add and push again; or check out other paths only.',
  })
}
