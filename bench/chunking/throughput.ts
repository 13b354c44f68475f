/**
 * How fast the kernel and the plain reference cut random bytes, in MB/s of one core's time.
 *
 *     npm run build
 *     npx esbuild bench/chunking/throughput.ts --bundle --platform=node --format=esm --outfile=dist/throughput.mjs
 *     node dist/throughput.mjs
 */
import { CandidateFinder } from '../../core/chunking/candidate-finder.ts'
import { createCandidateFinder } from '../../core/chunking/create-candidate-finder.ts'
import type { Finder } from '../../core/chunking/finder.ts'
import { Rot256Chunker } from '../../core/chunking/rot256.ts'
import { INPUTS, SeededRandom } from './inputs.ts'

const SIZE_BYTES = 64 * 1024 * 1024
const READ_BYTES = 1024 * 1024
const RUNS = 8
const bytes = INPUTS.find((input) => input.name === 'random')!.make(SIZE_BYTES, new SeededRandom(1))

/** The best of several runs, by the processor's clock and not the wall's: other programs may share the core. */
function megabytesPerSecond(run: () => void): number {
  let best = 0
  for (let i = 0; i < RUNS; i++) {
    const before = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(before)
    best = Math.max(best, SIZE_BYTES / (user + system))
  }
  return Math.round(best)
}

function measure(name: string, finder: Finder): void {
  const { blockBytes } = finder
  const hashEveryByte = megabytesPerSecond(() => {
    for (let start = 0; start < SIZE_BYTES; start += blockBytes) finder.find(bytes, start, start + blockBytes)
  })
  let chunks = 0
  const cut = megabytesPerSecond(() => {
    const chunker = new Rot256Chunker(finder)
    for (let start = 0; start < SIZE_BYTES; start += READ_BYTES) {
      chunker.push(bytes.subarray(start, start + READ_BYTES), () => chunks++)
    }
  })
  process.stdout.write(
    `${name}, blocks of ${blockBytes} bytes: hash of every byte ${hashEveryByte} MB/s, cutting ${cut} MB/s (${chunks / RUNS} chunks)\n`,
  )
}

measure('kernel', createCandidateFinder())
measure('plain reference', new CandidateFinder())
