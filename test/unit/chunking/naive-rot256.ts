import { g } from '../../../core/chunking/tables.ts'

const rotl = (x: number, by: number) => ((x << by) | (x >>> (16 - by))) & 0xffff

/** H256 of every position, from docs/formats/chunking.md term by term. */
export function naiveHashes(bytes: Uint8Array): Uint16Array {
  const at = (hash: Uint16Array, i: number) => (i < 0 ? 0 : hash[i]!)
  const everyPosition = (value: (i: number) => number) => {
    const hash = new Uint16Array(bytes.length)
    for (let i = 0; i < bytes.length; i++) hash[i] = value(i)
    return hash
  }
  const h16 = everyPosition((i) => {
    let sum = 0
    for (let k = 0; k <= 15; k++) sum += i - k < 0 ? 0 : g[bytes[i - k]!]! << k
    return sum
  })
  const h32 = everyPosition((i) => h16[i]! ^ rotl(at(h16, i - 16), 7))
  const h64 = everyPosition((i) => h32[i]! + rotl(at(h32, i - 32), 3))
  const h128 = everyPosition((i) => h64[i]! ^ rotl(at(h64, i - 64), 5))
  return everyPosition((i) => h128[i]! + rotl(at(h128, i - 128), 11))
}

export function naiveChunkLengths(bytes: Uint8Array): number[] {
  const KIB = 1024
  const lengths: number[] = []
  let start = 0
  const hashes = naiveHashes(bytes)
  for (let i = 0; i < bytes.length; i++) {
    const hash = hashes[i]!
    const length = i + 1 - start
    const ends =
      (length >= 16 * KIB && length < 64 * KIB && (hash & 0xffff) === 0) ||
      (length >= 64 * KIB && length < 256 * KIB && (hash & 0xfffc) === 0) ||
      length === 256 * KIB
    if (!ends) continue
    lengths.push(length)
    start = i + 1
  }
  if (start < bytes.length) lengths.push(bytes.length - start)
  return lengths
}
