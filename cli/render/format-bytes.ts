import { formatCount } from './format-count.ts'

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB']

/** Below 10,000 in full (`1,234 B`), else three digits or so in binary units (`1.2 MiB`, `340 MiB`). */
export function formatBytes(sizeBytes: number): string {
  if (sizeBytes < 10_000) return `${formatCount(Math.round(sizeBytes))} B`
  let value = sizeBytes
  let unit = -1
  // What would round to 1,024 of a unit is 1.0 of the next.
  while ((value >= 1023.5 || unit < 0) && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${value < 99.95 ? value.toFixed(1) : formatCount(Math.round(value))} ${UNITS[unit]}`
}
