import { readFileSync } from 'node:fs'

/** The bytes of a golden file: of a `.hex` file those that its digits stand for. `path` is below test/golden/. */
export function readGolden(path: string): Buffer {
  const bytes = readFileSync(new URL(`../golden/${path}`, import.meta.url))
  return path.endsWith('.hex') ? Buffer.from(bytes.toString('latin1').replace(/\s/g, ''), 'hex') : bytes
}

/** The digest-like bytes first, first + 1, ... that golden files use. */
export function counting(first: number): Buffer {
  return Buffer.from(Array.from({ length: 32 }, (_, i) => (first + i) & 0xff))
}
