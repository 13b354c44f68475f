import { basename } from 'node:path'
import { suggest } from '../suggest.ts'
import { typedPath } from './typed-path.ts'
import type { Workbench } from './workbench.ts'

/**
 * Which tracked path was most likely meant by `path`, relative to the root, which is none; as the user would type it.
 * It may have the same name in another folder, or nearly so.
 */
export function suggestTracked(
  workbench: Workbench,
  path: string,
  trackedPaths: readonly string[],
): string | undefined {
  const meant = suggest(path, trackedPaths) ?? sameNameElsewhere(basename(path), trackedPaths)
  return meant === undefined ? undefined : typedPath(workbench, meant)
}

function sameNameElsewhere(name: string, trackedPaths: readonly string[]): string | undefined {
  const names = trackedPaths.map((tracked) => basename(tracked))
  const meant = suggest(name, names)
  return meant === undefined ? undefined : trackedPaths[names.indexOf(meant)]
}
