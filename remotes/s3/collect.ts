/** Puts all bytes into `target`, which they fill exactly; gives it. */
export async function collect(bytes: AsyncIterable<Uint8Array>, target: Buffer): Promise<Buffer> {
  let filled = 0
  for await (const piece of bytes) {
    target.set(piece, filled)
    filled += piece.length
  }
  return target
}
