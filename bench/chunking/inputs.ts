/** Numbers from a seed: sfc32 (C. Doty-Humphrey, PractRand), 32 bits a step. */
export class SeededRandom {
  #a = 0
  #b = 0
  #c: number
  #counter = 1

  constructor(seed: number) {
    this.#c = seed | 0
    for (let i = 0; i < 15; i++) this.u32()
  }

  u32(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor((this.u32() / 0x1_0000_0000) * limit)
  }

  unit(): number {
    return this.u32() / 0x1_0000_0000
  }

  /** Standard normal, by Box and Muller. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.unit())) * Math.cos(2 * Math.PI * this.unit())
  }
}

export type ChunkingInput = {
  name: string
  /**
   * Fewer than some 2^14 distinct 256-byte windows, or hardly more: whether any is a candidate is luck,
   * which the search may have and no table can promise.
   */
  isStretch?: boolean
  make(sizeBytes: number, random: SeededRandom): Uint8Array
}

type NumberArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Int32Array
  | Float32Array
  | Float64Array

function fill<T extends NumberArray>(array: T, next: (index: number) => number): Uint8Array {
  for (let i = 0; i < array.length; i++) array[i] = next(i)
  return new Uint8Array(array.buffer)
}

function bigInts(sizeBytes: number, next: (index: number) => number): Uint8Array {
  const array = new BigInt64Array(sizeBytes / 8)
  for (let i = 0; i < array.length; i++) array[i] = BigInt(next(i))
  return new Uint8Array(array.buffer)
}

function lines(
  sizeBytes: number,
  next: (index: number) => string,
  encoding: BufferEncoding = 'utf8',
): Uint8Array {
  const buffer = Buffer.alloc(sizeBytes)
  let offset = 0
  for (let i = 0; offset < sizeBytes; i++) offset += buffer.write(next(i), offset, encoding) || sizeBytes
  return new Uint8Array(buffer.buffer, buffer.byteOffset, sizeBytes)
}

/** Runs of one value, each value but the last one's. */
function masks(
  sizeBytes: number,
  random: SeededRandom,
  shape: { values: number[]; shortest: number; longest: number },
) {
  const bytes = new Uint8Array(sizeBytes)
  const { values, shortest, longest } = shape
  let which = 0
  for (let offset = 0; offset < sizeBytes; ) {
    which = (which + 1 + random.below(values.length - 1)) % values.length
    const end = offset + shortest + random.below(longest - shortest + 1)
    bytes.fill(values[which]!, offset, end)
    offset = end
  }
  return bytes
}

function oneHot(classes: number, random: SeededRandom): (index: number) => number {
  let hot = 0
  return (index) => {
    if (index % classes === 0) hot = random.below(classes)
    return index % classes === hot ? 1 : 0
  }
}

/** Words of a made-up vocabulary; the commoner ones are drawn as in natural text (Zipf). */
function wordsOf(random: SeededRandom): () => string {
  const vocabulary = Array.from({ length: 5000 }, () =>
    Array.from(
      { length: 1 + random.below(9) },
      () => 'etaoinshrdlucmfwypvbgk'[Math.floor(random.unit() ** 2 * 22)],
    ).join(''),
  )
  return () => vocabulary[Math.floor(5000 ** random.unit()) - 1]!
}

function sentences(random: SeededRandom): () => string {
  const word = wordsOf(random)
  return () => `${Array.from({ length: 4 + random.below(16) }, word).join(' ')}.\n`
}

const float32Bits = new Uint32Array(1)
const float32 = new Float32Array(float32Bits.buffer)
function bfloat16(value: number): number {
  float32[0] = value
  return float32Bits[0]! >>> 16
}

export const INPUTS: ChunkingInput[] = [
  { name: 'float64 ratings 0 to 4', make: (n, r) => fill(new Float64Array(n / 8), () => r.below(5)) },
  { name: 'float32 one-hot of 10', make: (n, r) => fill(new Float32Array(n / 4), oneHot(10, r)) },
  {
    name: 'uint8 masks 0 and 1, runs of 20 to 420',
    make: (n, r) => masks(n, r, { values: [0, 1], shortest: 20, longest: 420 }),
  },
  {
    name: 'uint8 masks 0 and 255, runs of 20 to 420',
    make: (n, r) => masks(n, r, { values: [0, 255], shortest: 20, longest: 420 }),
  },
  {
    name: 'uint8 masks of 21 classes, runs of 20 to 420',
    make: (n, r) =>
      masks(n, r, { values: Array.from({ length: 21 }, (_, i) => i), shortest: 20, longest: 420 }),
  },
  {
    name: 'uint8 masks of 4 classes, runs of 20 to 420',
    make: (n, r) => masks(n, r, { values: [0, 1, 2, 3], shortest: 20, longest: 420 }),
  },
  {
    name: 'uint8 masks 1 and 2, runs of 20 to 420',
    make: (n, r) => masks(n, r, { values: [1, 2], shortest: 20, longest: 420 }),
  },
  {
    name: 'uint8 masks 0 and 128, runs of 20 to 420',
    make: (n, r) => masks(n, r, { values: [0, 128], shortest: 20, longest: 420 }),
  },
  { name: 'int32 labels 0 to 9', make: (n, r) => fill(new Int32Array(n / 4), () => r.below(10)) },
  {
    name: 'float32, 1 % non-zero',
    make: (n, r) => fill(new Float32Array(n / 4), () => (r.below(100) === 0 ? r.normal() : 0)),
  },
  { name: 'text', make: (n, r) => lines(n, sentences(r)) },
  {
    name: 'JSON lines',
    make: (n, r) => {
      const word = wordsOf(r)
      return lines(
        n,
        (i) =>
          `{"id":${i},"user":"${word()}","label":${r.below(10)},"score":${r.unit().toFixed(4)},"ok":${r.below(2) === 1}}\n`,
      )
    },
  },
  { name: 'int8 weights', make: (n, r) => fill(new Int8Array(n), () => Math.round(r.normal() * 20)) },
  { name: 'bf16 weights', make: (n, r) => fill(new Uint16Array(n / 2), () => bfloat16(r.normal() * 0.02)) },
  {
    name: 'DNA',
    make: (n, r) => lines(n, () => `${Array.from({ length: 70 }, () => 'ACGT'[r.below(4)]).join('')}\n`),
  },
  { name: 'random', make: (n, r) => fill(new Int32Array(n / 4), () => r.u32()) },
  {
    name: 'uint16 image, 12 bits',
    make: (n, r) => {
      let level = 2000
      return fill(new Uint16Array(n / 2), () => {
        level = Math.min(4095, Math.max(0, level + r.below(9) - 4))
        return level
      })
    },
  },
  {
    name: 'CSV of whole numbers',
    make: (n, r) => lines(n, (i) => `${i},${r.below(5)},${r.below(100)},${r.below(2)},${r.below(100000)}\n`),
  },
  { name: 'float32 embeddings', make: (n, r) => fill(new Float32Array(n / 4), () => r.normal()) },
  { name: 'boolean bytes, 50 %', make: (n, r) => fill(new Uint8Array(n), () => r.below(2)) },
  { name: 'boolean bytes, 3 %', make: (n, r) => fill(new Uint8Array(n), () => (r.below(100) < 3 ? 1 : 0)) },
  { name: 'int64 labels 0 to 9', make: (n, r) => bigInts(n, () => r.below(10)) },
  {
    name: 'int64 time stamps',
    make: (n, r) => {
      let ms = 1.7e12
      return bigInts(n, () => {
        ms += r.below(2000)
        return ms
      })
    },
  },
  { name: 'int64 counter', make: (n) => bigInts(n, (i) => i) },
  { name: 'UTF-16 text', make: (n, r) => lines(n, sentences(r), 'utf16le') },
  {
    name: 'int16 audio',
    make: (n, r) => fill(new Int16Array(n / 2), (i) => 9000 * Math.sin(i / 37) + 300 * r.normal()),
  },
  { name: 'uint8 one-hot of 10', make: (n, r) => fill(new Uint8Array(n), oneHot(10, r)) },
  {
    name: 'float32 zeros and ones, 2 % ones',
    make: (n, r) => fill(new Float32Array(n / 4), () => (r.below(50) === 0 ? 1 : 0)),
  },
  { name: 'float64 one-hot of 10', make: (n, r) => fill(new Float64Array(n / 8), oneHot(10, r)) },
  { name: 'int64 one-hot of 10', make: (n, r) => bigInts(n, oneHot(10, r)) },
  {
    name: 'int32 zeros and ones, 2 % ones',
    make: (n, r) => fill(new Int32Array(n / 4), () => (r.below(50) === 0 ? 1 : 0)),
  },
  { name: 'float32 one-hot of 40', make: (n, r) => fill(new Float32Array(n / 4), oneHot(40, r)) },
  {
    name: 'float32 one-hot of 100',
    isStretch: true,
    make: (n, r) => fill(new Float32Array(n / 4), oneHot(100, r)),
  },
  {
    name: 'uint8 masks 0 and 1, runs of 20 to 2,000',
    isStretch: true,
    make: (n, r) => masks(n, r, { values: [0, 1], shortest: 20, longest: 2000 }),
  },
  {
    name: 'uint8 masks 0 and 255, runs of 20 to 2,000',
    isStretch: true,
    make: (n, r) => masks(n, r, { values: [0, 255], shortest: 20, longest: 2000 }),
  },
]

/** `bytes` with `count` random bytes put in at `offset`. */
export function withInsertion(
  bytes: Uint8Array,
  { offset, count, random }: { offset: number; count: number; random: SeededRandom },
): Uint8Array {
  const edited = new Uint8Array(bytes.length + count)
  edited.set(bytes.subarray(0, offset))
  for (let i = 0; i < count; i++) edited[offset + i] = random.u32()
  edited.set(bytes.subarray(offset), offset + count)
  return edited
}
