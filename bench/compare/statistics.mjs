export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** The ratios pair by pair, as median and range. A slow spell of the machine falls on both of a pair. */
export function pairwiseRatios(numerators, denominators) {
  const ratios = numerators.map((value, i) => value / denominators[i])
  return {
    median: median(ratios),
    least: Math.min(...ratios),
    most: Math.max(...ratios),
    pairs: ratios.length,
  }
}
