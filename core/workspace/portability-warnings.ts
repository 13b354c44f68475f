import { findFoldCollisions, quoteName, windowsProblem } from '../format/names.ts'
import type { ScannedDirectory } from './scan-directory.ts'
import type { ScannedEntry } from './scan-path.ts'

/** More would only scroll by. */
const MOST_WARNINGS = 10

/** Names that this platform holds and another cannot: they are tracked all the same. */
export function portabilityWarnings(path: string, scanned: ScannedEntry): string[] {
  const warnings: string[] = []
  if (scanned.kind === 'dir') collect(path, scanned, warnings)
  const left = warnings.length - MOST_WARNINGS
  return left > 0
    ? [...warnings.slice(0, MOST_WARNINGS), `... and ${left} more such names in ${path}`]
    : warnings
}

function collect(path: string, directory: ScannedDirectory, warnings: string[]): void {
  const entries = [...directory.files(), ...directory.links, ...directory.directories]
  const names = entries.map(({ name }) => name)
  for (const group of findFoldCollisions(names)) {
    warnings.push(`${path}: ${group.map(quoteName).join(' and ')} are one name on macOS and Windows`)
  }
  for (const name of names) {
    const problem = windowsProblem(name)
    if (problem !== undefined) warnings.push(`${path}: ${quoteName(name)} ${problem}`)
  }
  for (const child of directory.directories) collect(`${path}/${child.name}`, child, warnings)
}
