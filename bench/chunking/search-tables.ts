/**
 * The search that chose the tables of `rot256-v1`, and the confirmation of what it chose.
 *
 *     npx esbuild bench/chunking/search-tables.ts --bundle --platform=node --format=esm --outfile=dist/search-tables.mjs
 *     node dist/search-tables.mjs TABLES_TO_TRY bench/chunking/search-result.json
 *
 * The same number of tables gives the same result on every machine, but for the last digits where `Math.log` or
 * `Math.cos` differ. See docs/decisions/0001-rot256-tables.md.
 */
import { writeFileSync } from 'node:fs'
import { CandidateFinder, findCandidates } from '../../core/chunking/candidate-finder.ts'
import { MAX_CHUNK_BYTES } from '../../core/chunking/cut-selector.ts'
import { byteMapOf, type Rot256Tables } from '../../core/chunking/tables.ts'
import { type ChunkingInput, INPUTS, SeededRandom, withInsertion } from './inputs.ts'
import { lengthsFromCandidates, meanResyncBytes, newShare } from './resync.ts'

const MIB = 1024 * 1024
const FINALISTS = 12

type Round = { sizeBytes: number; trials: number; seed: number }
const SEARCH_ROUND: Round = { sizeBytes: 4 * MIB, trials: 50, seed: 1000 }
const FINAL_ROUND: Round = { sizeBytes: 8 * MIB, trials: 200, seed: 2000 }
const CONFIRM = { sizeBytes: 24_000_000, seed: 3000, insertionOffset: 100_001, insertionBytes: 1003 }

/** Elements whose runs should be no candidates either: harmless if they were, but more chunks than need be. */
const COMMON_ELEMENTS = [
  '0000803f',
  '000000000000f03f',
  '803f',
  '003c',
  '0100',
  '01000000',
  '0100000000000000',
]
  .map((hex) => Buffer.from(hex, 'hex'))
  .concat([Buffer.from('0,'), Buffer.from('0\n'), Buffer.from('1,'), Buffer.from(' \0')])

function tablesFromSeed(seed: number): Rot256Tables {
  const random = new SeededRandom(seed)
  const table = () => Uint8Array.from({ length: 16 }, () => random.below(256))
  return { lo0: table(), hi0: table(), lo1: table(), hi1: table() }
}

function isSound(map: Uint16Array, finder: CandidateFinder): boolean {
  if (new Set(map).size < 256) return false
  const isRunCandidate = (element: Uint8Array) => {
    const run = Buffer.alloc(512, element)
    return findCandidates(run, undefined, finder).some((candidate) => candidate >>> 1 >= 256)
  }
  for (let byte = 0; byte < 256; byte++) if (isRunCandidate(Uint8Array.of(byte))) return false
  return !COMMON_ELEMENTS.some(isRunCandidate)
}

class Evaluator {
  readonly #round: Round
  readonly #arrays: { input: ChunkingInput; bytes: Uint8Array }[]

  constructor(round: Round) {
    this.#round = round
    this.#arrays = INPUTS.map((input, i) => ({
      input,
      bytes: input.make(round.sizeBytes, new SeededRandom(round.seed + i)),
    }))
  }

  /**
   * The worst mean resynchronisation in KiB among the inputs, plus a tenth of the stretch inputs' mean.
   * Stops with Infinity as soon as it is above `limit`; the inputs that fail most often are tried first.
   */
  score(finder: CandidateFinder, limit: number): number {
    let worst = 0
    let stretch = 0
    const stretchCount = this.#arrays.filter(({ input }) => input.isStretch).length
    for (const [i, { input, bytes }] of this.#arrays.entries()) {
      const candidates = findCandidates(bytes, undefined, finder)
      const random = new SeededRandom(this.#round.seed - 1)
      const kib = meanResyncBytes(candidates, { ...this.#round, random }) / 1024
      if (input.isStretch) stretch += kib / 10 / stretchCount
      else worst = Math.max(worst, kib)
      if (worst + stretch > limit) {
        if (i > 0) this.#arrays.splice(i >>> 1, 0, ...this.#arrays.splice(i, 1))
        return Number.POSITIVE_INFINITY
      }
    }
    return worst + stretch
  }
}

function search(tablesToTry: number) {
  const evaluator = new Evaluator(SEARCH_ROUND)
  const best: { seed: number; score: number }[] = []
  let unsound = 0
  for (let seed = 1; seed <= tablesToTry; seed++) {
    const map = byteMapOf(tablesFromSeed(seed))
    const finder = new CandidateFinder(map)
    if (!isSound(map, finder)) {
      unsound++
      continue
    }
    const score = evaluator.score(finder, best[FINALISTS - 1]?.score ?? Number.POSITIVE_INFINITY)
    if (score === Number.POSITIVE_INFINITY) continue
    best.push({ seed, score })
    best.sort((a, b) => a.score - b.score)
    best.length = Math.min(best.length, FINALISTS)
    process.stderr.write(`${seed}: ${best.map((b) => b.score.toFixed(0)).join(' ')}\n`)
  }
  const judge = new Evaluator(FINAL_ROUND)
  const finalists = best.map(({ seed, score }) => ({
    seed,
    searchScoreKiB: round(score, 1),
    finalScoreKiB: round(
      judge.score(new CandidateFinder(byteMapOf(tablesFromSeed(seed))), Number.POSITIVE_INFINITY),
      1,
    ),
  }))
  finalists.sort((a, b) => a.finalScoreKiB - b.finalScoreKiB)
  return { unsound, finalists }
}

function confirm(finder: CandidateFinder) {
  return INPUTS.map((input, i) => {
    const random = new SeededRandom(CONFIRM.seed + i)
    const bytes = input.make(CONFIRM.sizeBytes, random)
    const edited = withInsertion(bytes, {
      offset: CONFIRM.insertionOffset,
      count: CONFIRM.insertionBytes,
      random,
    })
    const candidates = findCandidates(bytes, undefined, finder)
    const lengths = lengthsFromCandidates(candidates, bytes.length)
    const editedLengths = lengthsFromCandidates(findCandidates(edited, undefined, finder), edited.length)
    const trials = { sizeBytes: bytes.length, trials: 200, random: new SeededRandom(CONFIRM.seed - 1) }
    return {
      name: input.name,
      isStretch: input.isStretch ?? false,
      newPercentAfterInsertion: round(
        100 * newShare({ bytes, lengths }, { bytes: edited, lengths: editedLengths }),
        2,
      ),
      meanNewPercent: round((100 * meanResyncBytes(candidates, trials)) / bytes.length, 2),
      meanChunkKiB: round(bytes.length / lengths.length / 1024, 1),
      forcedCutPercent: round(
        (100 * lengths.filter((length) => length === MAX_CHUNK_BYTES).length) / lengths.length,
        1,
      ),
    }
  })
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}

const [count = '100', resultPath] = process.argv.slice(2)
const tablesTried = Number(count)
const { unsound, finalists } = search(tablesTried)
const winner = finalists[0]!.seed
const tables = tablesFromSeed(winner)
const hexTables = Object.fromEntries(
  Object.entries(tables).map(([name, table]) => [name, Buffer.from(table).toString('hex')]),
)
const inputs = confirm(new CandidateFinder(byteMapOf(tables)))
const result = {
  tablesTried,
  unsound,
  winner,
  tables: hexTables,
  finalists,
  confirmation: { ...CONFIRM, inputs },
}
if (resultPath !== undefined) writeFileSync(resultPath, `${JSON.stringify(result, null, 2)}\n`)
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
