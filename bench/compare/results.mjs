import fs from 'node:fs'

/**
 * What was measured, raw: by case and by the tool beside Varve, for each step the columns of its runs, where the first
 * of one is beside the first of the other.
 */
export function readResults(file) {
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {}
}

/** Puts the measurement of one case beside one tool in place of an older one. */
export function recordResult(file, { caseName, toolName, facts, rows, failure }) {
  const results = readResults(file)
  results[caseName] ??= {}
  const steps = Object.entries(rows).filter(([, { varve }]) => varve.length > 0)
  results[caseName][toolName] = {
    ...facts,
    ...(failure && { failure }),
    steps: Object.fromEntries(
      steps.map(([key, { varve, other }]) => [key, { varve: columns(varve), other: columns(other) }]),
    ),
  }
  // A column on one line, as the formatter has it.
  const text = JSON.stringify(results, null, 2).replace(/\[[\s\d.,]+\]/g, (column) =>
    column.replace(/\s+/g, ' ').replace('[ ', '[').replace(' ]', ']'),
  )
  fs.writeFileSync(file, `${text}\n`)
}

/** Every run's seconds; of memory the most, of what was added the last run's. */
function columns(runs) {
  if (runs.length === 0) return undefined
  const { newBytes, newFiles } = runs.at(-1)
  return {
    seconds: runs.map(({ seconds }) => seconds),
    peakMB: runs[0].peakMB === null ? null : Math.max(...runs.map(({ peakMB }) => peakMB)),
    newBytes,
    newFiles,
  }
}
