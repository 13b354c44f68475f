import type { ChangeCounts, FileChange } from '../../core/operations/file-changes.ts'
import { formatBytes } from './format-bytes.ts'
import { formatCount } from './format-count.ts'
import type { Paint } from './paint.ts'

/** `3 added, 1 modified (+1.2 MiB)`; empty where nothing changed. */
export function describeCounts(counts: ChangeCounts): string {
  const parts = (['added', 'modified', 'deleted', 'renamed'] as const)
    .filter((change) => counts[change] > 0)
    .map((change) => `${formatCount(counts[change])} ${change}`)
  return parts.join(', ')
}

/** Bytes that came and went: `+1.2 MiB -300 B`. */
export function describeBytes({ bytesAdded, bytesDeleted }: ChangeCounts): string {
  return [
    ...(bytesAdded > 0 ? [`+${formatBytes(bytesAdded)}`] : []),
    ...(bytesDeleted > 0 ? [`-${formatBytes(bytesDeleted)}`] : []),
  ].join(' ')
}

const LETTERS = { added: 'A', deleted: 'D', modified: 'M', renamed: 'R' } as const

/** One line a change, the first `most` of them. */
export function renderChanges(
  changes: readonly FileChange[],
  { paint, indent, most }: { paint: Paint; indent: string; most: number },
): string[] {
  const colours = { added: paint.green, deleted: paint.red, modified: paint.yellow, renamed: paint.cyan }
  const lines = changes.slice(0, most).map(({ change, path, from, sizeBefore, sizeAfter }) => {
    const size = sizeAfter ?? sizeBefore
    const name = from === undefined ? path : `${from} -> ${path}`
    const growth = sizeBefore !== undefined && sizeAfter !== undefined ? sizeAfter - sizeBefore : 0
    const sizes = [
      ...(size === undefined || change === 'renamed' ? [] : [formatBytes(size)]),
      ...(growth === 0 ? [] : [`(${growth > 0 ? '+' : '-'}${formatBytes(Math.abs(growth))})`]),
    ]
    const tail = sizes.length > 0 ? `  ${paint.dim(sizes.join(' '))}` : ''
    return `${indent}${colours[change](LETTERS[change])} ${name}${tail}`
  })
  const left = changes.length - most
  if (left > 0) lines.push(`${indent}${paint.dim(`... and ${formatCount(left)} more`)}`)
  return lines
}
