import { displayWidth } from '../render/table.ts'
import { wrapText } from '../render/wrap-text.ts'

const INDENT = '  '
/** Narrower than this, a column of text is no pleasure to read. */
const LEAST_COLUMNS = 28

/**
 * Terms, and beside them, aligned and wrapped, what they mean; where a term leaves too little room beside, all
 * meanings stand below their terms. `paint` is put on each line of a meaning. Each line ends with a line feed.
 */
export function renderDefinitions(
  rows: readonly (readonly [term: string, meaning: string])[],
  { width, paint = (text) => text }: { width: number; paint?: (text: string) => string },
): string {
  const termWidth = Math.max(...rows.map(([term]) => displayWidth(term)))
  const beside = INDENT.length + termWidth + 2
  const fits = rows.every(([, meaning]) => beside + displayWidth(meaning) <= width)
  const isBeside = fits || width - beside >= LEAST_COLUMNS
  const column = isBeside ? beside : 3 * INDENT.length
  return rows
    .map(([term, meaning]) => {
      const [first = '', ...rest] = wrapText(meaning, width - column).map(paint)
      const head = isBeside
        ? `${INDENT}${term}${' '.repeat(termWidth - displayWidth(term) + 2)}${first}`
        : `${INDENT}${term}\n${' '.repeat(column)}${first}`
      return [head.trimEnd(), ...rest.map((line) => ' '.repeat(column) + line), ''].join('\n')
    })
    .join('')
}
