/** Numbers from 0 to below `end`, the same for the same seed. */
export function randomNumbers(seed: number): (end: number) => number {
  let state = (seed * 2654435761 + 88675123) >>> 0
  return (end) => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state % end
  }
}
