import { basename } from 'node:path'
import { suggest } from '../suggest.ts'
import { typedPath } from './typed-path.ts'
import type { Workbench } from './workbench.ts'

/**
 * Which tracked path was most likely meant by `path`, relative to the root, which is none; as the user would type it.
 * One of the same name in another folder goes first.
 */
export function suggestTracked(
  workbench: Workbench,
  path: string,
  trackedPaths: readonly string[],
): string | undefined {
  const name = basename(path)
  const meant = trackedPaths.find((tracked) => basename(tracked) === name) ?? suggest(path, trackedPaths)
  return meant === undefined ? undefined : typedPath(workbench, meant)
}
