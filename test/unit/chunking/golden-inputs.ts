/** The inputs of the golden cuts, as docs/formats/chunking.md defines them: whole numbers alone. */
export const GOLDEN_GENERATORS: Record<string, (sizeBytes: number, next: () => number) => Uint8Array> = {
  zeros: (sizeBytes) => new Uint8Array(sizeBytes),
  random: (sizeBytes, next) => new Uint8Array(sizeBytes).map(() => next() >>> 24),
  'float64-ratings': (sizeBytes, next) => bytesOf(new Float64Array(sizeBytes / 8).map(() => next() % 5)),
  'int32-labels': (sizeBytes, next) => bytesOf(new Int32Array(sizeBytes / 4).map(() => next() % 10)),
  'float32-one-hot': (sizeBytes, next) => {
    const floats = new Float32Array(sizeBytes / 4)
    for (let row = 0; row + 10 <= floats.length; row += 10) floats[row + (next() % 10)] = 1
    return bytesOf(floats)
  },
  'uint8-masks': (sizeBytes, next) => {
    const bytes = new Uint8Array(sizeBytes)
    for (let start = 0, value = 0; start < sizeBytes; value = 1 - value) {
      const end = start + 20 + (next() % 401)
      bytes.fill(value, start, end)
      start = end
    }
    return bytes
  },
  'sparse-bytes': (sizeBytes, next) =>
    new Uint8Array(sizeBytes).map(() => (next() % 100 === 0 ? next() >>> 24 : 0)),
}

/** Marsaglia's 32-bit xorshift (13, 17, 5): each call steps, then gives the state as an unsigned number. */
export function xorshift32(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

function bytesOf(array: Float64Array | Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(array.buffer)
}
