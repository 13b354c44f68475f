import { join, relative, resolve, sep } from 'node:path'
import type { Workbench } from './workbench.ts'

/** A root-relative path as the user would type it in a shell, from where the user is. */
export function typedPath(workbench: Workbench, path: string): string {
  const { root, prefix } = workbench.project.repository
  const fromHere = relative(resolve(root, prefix), join(root, path)).split(sep).join('/') || '.'
  return /^[\w./-]+$/.test(fromHere) ? fromHere : `'${fromHere.replaceAll("'", `'\\''`)}'`
}
