import { displayWidth } from './table.ts'

/** Breaks a paragraph between words into lines of `width` columns at most; a longer word has a line of its own. */
export function wrapText(paragraph: string, width: number): string[] {
  const lines: string[] = []
  for (const word of paragraph.split(/\s+/).filter((part) => part !== '')) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)} ${word}`
    if (lines.length > 0 && displayWidth(longer) <= width) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines
}
