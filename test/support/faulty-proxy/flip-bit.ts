import { Transform } from 'node:stream'

/** Passes bytes on with one bit of the byte at `offset` flipped; `onFlip` tells that it was reached. */
export function flipBit(options: { offset: number; bit: number; onFlip: () => void }): Transform {
  const { offset, bit, onFlip } = options
  let passed = 0
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      const at = offset - passed
      passed += piece.length
      if (at < 0 || at >= piece.length) return done(null, piece)
      const changed = Buffer.from(piece)
      changed[at] = changed[at]! ^ (1 << bit)
      onFlip()
      done(null, changed)
    },
  })
}
