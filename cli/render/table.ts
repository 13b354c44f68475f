import { stripVTControlCharacters } from 'node:util'

export type TableOptions = {
  /** Column titles; without them the table begins with its first row. */
  head?: readonly string[]
  /** Columns of numbers, by index. */
  alignRight?: readonly number[]
  indent?: string
}

/** Aligned columns, two spaces apart, a line feed after each row. No cell is ever cut or wrapped. */
export function renderTable(rows: readonly (readonly string[])[], options: TableOptions = {}): string {
  const lines = options.head ? [options.head, ...rows] : rows
  const widths: number[] = []
  for (const line of lines) {
    for (const [column, cell] of line.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, displayWidth(cell))
    }
  }
  const right = new Set(options.alignRight)
  return lines
    .map((line) => {
      const cells = line.map((cell, column) => {
        const padding = ' '.repeat(widths[column]! - displayWidth(cell))
        return right.has(column) ? padding + cell : cell + padding
      })
      return `${((options.indent ?? '') + cells.join('  ')).trimEnd()}\n`
    })
    .join('')
}

/** The columns that a terminal needs: colour codes and combining marks take none, wide characters two. */
export function displayWidth(text: string): number {
  let width = 0
  for (const character of stripVTControlCharacters(text)) {
    if (/[\p{Mn}\p{Me}\p{Cf}]/u.test(character)) continue
    width += WIDE.test(character) ? 2 : 1
  }
  return width
}

const WIDE =
  /[\u{1100}-\u{115f}\u{2e80}-\u{303e}\u{3041}-\u{a4cf}\u{ac00}-\u{d7a3}\u{f900}-\u{faff}\u{fe30}-\u{fe6f}\u{ff00}-\u{ff60}\u{ffe0}-\u{ffe6}\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u
