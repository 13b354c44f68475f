/**
 * AssemblyScript: finds the candidates of `rot256-v1` with 128-bit vectors, sixteen bytes in a turn.
 *
 * A position is a 16-bit lane, so a turn handles two vectors for each doubling of the window. Up to 16 bytes the earlier
 * positions are shifted in from the vector before; from 32 bytes on they lie a whole number of turns back, and are
 * read from rings. Nothing here depends on its own result of the turn before: that is what lets turns overlap.
 *
 * The caller writes to `input` and `tables`, reads from `candidates`, and fills `state` with 0 to begin anew.
 */

/** The most bytes that `scan` takes at once, those that are held back from the call before not counted. */
export const blockBytes: i32 = 4096

const TURN_BYTES: i32 = 16
const RING_BYTES: i32 = 512

/** The bytes to scan: first those held back, then the new ones. */
export const input: usize = memory.data(blockBytes + TURN_BYTES, 16)

/** Each candidate as 32 bits: its offset in the new bytes * 2, plus 1 where all 16 bits of the hash are 0. */
export const candidates: usize = memory.data(4 * blockBytes, 16)

/** lo0, hi0, lo1 and hi1 of the byte map, one after the other. */
export const tables: usize = memory.data(64, 16)

/** The last vectors of the windows of 1, 2, 4, 8, 16 (two of them) bytes, then the rings of those of 32, 64, 128. */
export const state: usize = memory.data(96 + 3 * RING_BYTES, 16)
export const stateBytes: i32 = 96 + 3 * RING_BYTES

const ring32: usize = state + 96
const ring64: usize = ring32 + RING_BYTES
const ring128: usize = ring64 + RING_BYTES

/** Where the next turn's two vectors go in each ring. */
let cursor: i32 = 0

function rotateLeft(x: v128, by: i32): v128 {
  return v128.or(i16x8.shl(x, by), i16x8.shr_u(x, 16 - by))
}

/** The eight positions that lie one before those of `x`; `before` is the vector ahead of it. */
function oneBack(before: v128, x: v128): v128 {
  return v128.shuffle<u16>(before, x, 7, 8, 9, 10, 11, 12, 13, 14)
}

function twoBack(before: v128, x: v128): v128 {
  return v128.shuffle<u16>(before, x, 6, 7, 8, 9, 10, 11, 12, 13)
}

function fourBack(before: v128, x: v128): v128 {
  return v128.shuffle<u16>(before, x, 4, 5, 6, 7, 8, 9, 10, 11)
}

/**
 * Scans `length` bytes of `input`, of which the first `held` (below 16) were scanned before, and gives how many
 * `candidates` it found among the others. A last turn that is not whole leaves no trace in the state: its bytes are moved
 * to the front of `input`, as the next call's `held`.
 */
export function scan(held: i32, length: i32): i32 {
  const lo0 = v128.load(tables)
  const hi0 = v128.load(tables, 16)
  const lo1 = v128.load(tables, 32)
  const hi1 = v128.load(tables, 48)
  const nibble = i8x16.splat(15)

  let before1 = v128.load(state)
  let before2 = v128.load(state, 16)
  let before4 = v128.load(state, 32)
  let before8 = v128.load(state, 48)
  let before16a = v128.load(state, 64)
  let before16b = v128.load(state, 80)
  let slot = cursor
  let next = candidates

  const whole = length & ~(TURN_BYTES - 1)
  let at = 0
  let end = whole
  while (true) {
    for (; at < end; at += TURN_BYTES) {
      const bytes = v128.load(input + at)
      const low = v128.and(bytes, nibble)
      const high = v128.and(i16x8.shr_u(bytes, 4), nibble)
      const map0 = v128.xor(i8x16.swizzle(lo0, low), i8x16.swizzle(hi0, high))
      const map1 = v128.xor(i8x16.swizzle(lo1, low), i8x16.swizzle(hi1, high))
      const a1 = v128.shuffle<u8>(map0, map1, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
      const b1 = v128.shuffle<u8>(map0, map1, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)

      const a2 = i16x8.add(a1, i16x8.shl(oneBack(before1, a1), 1))
      const b2 = i16x8.add(b1, i16x8.shl(oneBack(a1, b1), 1))
      before1 = b1
      const a4 = i16x8.add(a2, i16x8.shl(twoBack(before2, a2), 2))
      const b4 = i16x8.add(b2, i16x8.shl(twoBack(a2, b2), 2))
      before2 = b2
      const a8 = i16x8.add(a4, i16x8.shl(fourBack(before4, a4), 4))
      const b8 = i16x8.add(b4, i16x8.shl(fourBack(a4, b4), 4))
      before4 = b4
      const a16 = i16x8.add(a8, i16x8.shl(before8, 8))
      const b16 = i16x8.add(b8, i16x8.shl(a8, 8))
      before8 = b8

      const a32 = v128.xor(a16, rotateLeft(before16a, 7))
      const b32 = v128.xor(b16, rotateLeft(before16b, 7))
      before16a = a16
      before16b = b16

      const back32 = (slot - 64) & (RING_BYTES - 1)
      const a64 = i16x8.add(a32, rotateLeft(v128.load(ring32 + back32), 3))
      const b64 = i16x8.add(b32, rotateLeft(v128.load(ring32 + back32, 16), 3))
      v128.store(ring32 + slot, a32)
      v128.store(ring32 + slot, b32, 16)

      const back64 = (slot - 128) & (RING_BYTES - 1)
      const a128 = v128.xor(a64, rotateLeft(v128.load(ring64 + back64), 5))
      const b128 = v128.xor(b64, rotateLeft(v128.load(ring64 + back64, 16), 5))
      v128.store(ring64 + slot, a64)
      v128.store(ring64 + slot, b64, 16)

      const back128 = slot ^ (RING_BYTES / 2)
      const a256 = i16x8.add(a128, rotateLeft(v128.load(ring128 + back128), 11))
      const b256 = i16x8.add(b128, rotateLeft(v128.load(ring128 + back128, 16), 11))
      v128.store(ring128 + slot, a128)
      v128.store(ring128 + slot, b128, 16)
      slot = (slot + 32) & (RING_BYTES - 1)

      // A candidate's hash is below 4: its upper fourteen bits are 0.
      if (!i16x8.all_true(i16x8.shr_u(i16x8.min_u(a256, b256), 2))) {
        const four = i16x8.splat(4)
        const zero = i16x8.splat(0)
        let weak = i16x8.bitmask(i16x8.lt_u(a256, four)) | (i16x8.bitmask(i16x8.lt_u(b256, four)) << 8)
        const strong = i16x8.bitmask(i16x8.eq(a256, zero)) | (i16x8.bitmask(i16x8.eq(b256, zero)) << 8)
        for (; weak !== 0; weak &= weak - 1) {
          const lane = ctz(weak)
          const position = at + lane
          if (position < held || position >= length) continue
          store<i32>(next, ((position - held) << 1) | ((strong >> lane) & 1))
          next += 4
        }
      }
    }
    if (end === whole) {
      v128.store(state, before1)
      v128.store(state, before2, 16)
      v128.store(state, before4, 32)
      v128.store(state, before8, 48)
      v128.store(state, before16a, 64)
      v128.store(state, before16b, 80)
      cursor = slot
    }
    if (end >= length) break
    end = length
  }
  v128.store(input, v128.load(input + whole))
  return <i32>((next - candidates) >> 2)
}
