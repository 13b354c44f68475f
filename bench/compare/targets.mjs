import { cases } from './cases.mjs'
import { median, pairwiseRatios } from './statistics.mjs'

const otherCases = Object.keys(cases)
  .filter((name) => name !== 'growth-1m')
  .map((name) => [name])

/**
 * What Varve means to reach. `measure` finds the figure in the results, as `{ value, least?, most? }`, or nothing where
 * it was not measured.
 */
export const targets = [
  timesOf('A', 'add', 'cp', { what: 'A: add, beside a durable copy', most: 1.1, aim: 0.7 }),
  timesOf('B', 'add', 'cp', { what: 'B: add, beside a durable copy', most: 1.2, aim: 0.8 }),
  secondsOf('A', 'readd', { what: 'A: add again, nothing changed', most: 0.35, aim: 0.2 }),
  secondsOf('A', 'status', { what: 'A: status, nothing changed', most: 0.35, aim: 0.2 }),
  secondsOf('growth-1m', 'status', { what: '1M files: status, nothing changed', most: 8, aim: 4 }),
  memoryOf([['growth-1m', 'status']], { what: '1M files: peak memory of this status', most: 600 }),
  secondsOf('A', 'statusTouched', { what: 'A: status after touching all', most: 1.5, aim: 0.8 }),
  timesOf('A', 'checkout', 'cp', { what: 'A: checkout, beside a copy', most: 1.2, aim: 0.8 }),
  timesOf('B', 'checkout', 'cp', { what: 'B: checkout, beside a copy', most: 1.2, aim: 1 }),
  timesOf('A', 'push', 'cp', { what: 'A: push to a folder, beside a durable copy', most: 0.5, aim: 0.2 }),
  secondsOf('A', 'pushNothing', { what: 'A: push of nothing', most: 0.4, aim: 0.2 }),
  {
    what: 'add of 1M files of 1 KiB, beside 10 times that of 100k',
    unit: '×',
    most: 1.15,
    measure(results) {
      const million = secondsIn(results, 'growth-1m', 'add')
      const hundredThousand = secondsIn(results, 'growth-100k', 'add')
      return million && hundredThousand && { value: median(million) / (10 * median(hundredThousand)) }
    },
  },
  newMegabytesOf('C', 'addEdited', { what: 'C: new in the store after the edit', most: 10, aim: 8 }),
  newMegabytesOf('C', 'pushEdited', { what: 'C: new at the remote after the edit', most: 10, aim: 8 }),
  timesOf('one-byte', 'addEdited', 'cat', { what: 'one byte of 10 GiB: add, beside one read of the file' }),
  newMegabytesOf('one-byte', 'addEdited', { what: 'one byte of 10 GiB: new in the store', most: 1.048576 }),
  memoryOf([['growth-1m']], { what: 'peak memory, 1M files', most: 800, aim: 300 }),
  memoryOf(otherCases, { what: 'peak memory, all other cases', most: 500, aim: 300 }),
]

/** Varve's own side of a case: what was measured beside its baseline, or else beside any tool. */
export function ownSteps(results, caseName) {
  const beside = results[caseName] ?? {}
  return (beside.cp ?? beside.cat ?? Object.values(beside)[0])?.steps ?? {}
}

function timesOf(caseName, step, baseline, target) {
  const measure = (results) => {
    const pair = results[caseName]?.[baseline]?.steps[step]
    if (pair?.other === undefined) return undefined
    const { median: value, ...range } = pairwiseRatios(pair.varve.seconds, pair.other.seconds)
    return { value, ...range }
  }
  return { ...target, unit: '×', measure }
}

function secondsOf(caseName, step, target) {
  const measure = (results) => {
    const seconds = secondsIn(results, caseName, step)
    return seconds && { value: median(seconds), least: Math.min(...seconds), most: Math.max(...seconds) }
  }
  return { ...target, unit: ' s', measure }
}

function newMegabytesOf(caseName, step, target) {
  const measure = (results) => {
    const bytes = ownSteps(results, caseName)[step]?.varve.newBytes
    return bytes === undefined ? undefined : { value: bytes / 1e6 }
  }
  return { ...target, unit: ' MB', measure }
}

/** The most in the given cases, or steps of cases. */
function memoryOf(places, target) {
  const measure = (results) => {
    const peaks = places
      .flatMap(([caseName, step]) => {
        const steps = Object.values(results[caseName] ?? {}).map((record) => record.steps)
        return steps.flatMap((of) => (step === undefined ? Object.values(of) : (of[step] ?? [])))
      })
      .map(({ varve }) => varve.peakMB)
      .filter((peak) => peak !== null)
    return peaks.length === 0 ? undefined : { value: Math.max(...peaks) }
  }
  return { ...target, unit: ' MB', measure }
}

function secondsIn(results, caseName, step) {
  return ownSteps(results, caseName)[step]?.varve.seconds
}
