/** The candidate that `typed` was most likely meant to be, if one is near enough. */
export function suggest(typed: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.max(typed.length <= 3 ? 1 : 2, Math.floor(typed.length / 3))
  const all = [...candidates]
  let best: string | undefined
  let bestDistance = limit + 1
  for (const candidate of all) {
    const distance = editDistance(typed.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best ?? (typed.length >= 3 ? all.find((candidate) => candidate.startsWith(typed)) : undefined)
}

/** Optimal string alignment: insertions, deletions, replacements, swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const replaced = last[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1)
      let cost = Math.min(last[column]! + 1, current[column - 1]! + 1, replaced)
      if (a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1] && row > 1 && column > 1) {
        cost = Math.min(cost, beforeLast[column - 2]! + 1)
      }
      current.push(cost)
    }
    beforeLast = last
    last = current
  }
  return last[b.length]!
}
