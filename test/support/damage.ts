/** `bytes` with its end cut off, at every length; then with one bit of it flipped, at every byte. */
export function* damaged(bytes: Uint8Array): Generator<Buffer> {
  yield* truncated(bytes)
  yield* flipped(bytes)
}

export function* truncated(bytes: Uint8Array): Generator<Buffer> {
  for (let length = 0; length < bytes.length; length++) yield Buffer.from(bytes.subarray(0, length))
}

export function* flipped(bytes: Uint8Array): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at++) yield flip(bytes, at)
}

export function flip(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at]! ^= 1 << (at % 8)
  return copy
}
