/**
 * How fast the plain reference cuts random bytes, in MB/s of one core's time.
 *
 *     npx esbuild bench/chunking/throughput.ts --bundle --platform=node --format=esm --outfile=dist/throughput.mjs
 *     node dist/throughput.mjs
 */
import { CandidateFinder, FINDER_BLOCK_BYTES } from '../../core/chunking/candidate-finder.ts'
import { Rot256Chunker } from '../../core/chunking/rot256.ts'
import { INPUTS, SeededRandom } from './inputs.ts'

const SIZE_BYTES = 64 * 1024 * 1024
const bytes = INPUTS.find((input) => input.name === 'random')!.make(SIZE_BYTES, new SeededRandom(1))

/** The best of several runs, by the processor's clock and not the wall's: other programs may share the core. */
function megabytesPerSecond(run: () => void): number {
  let best = 0
  for (let i = 0; i < 8; i++) {
    const before = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(before)
    best = Math.max(best, SIZE_BYTES / (user + system))
  }
  return Math.round(best)
}

const finder = new CandidateFinder()
const hashEveryByte = megabytesPerSecond(() => {
  for (let start = 0; start < SIZE_BYTES; start += FINDER_BLOCK_BYTES)
    finder.find(bytes, start, start + FINDER_BLOCK_BYTES)
})
let chunks = 0
const cut = megabytesPerSecond(() => {
  const chunker = new Rot256Chunker()
  for (let start = 0; start < SIZE_BYTES; start += 1024 * 1024) {
    chunker.push(bytes.subarray(start, start + 1024 * 1024), () => chunks++)
  }
})
process.stdout.write(
  `hash of every byte: ${hashEveryByte} MB/s\ncutting: ${cut} MB/s (${chunks / 8} chunks in 64 MiB)\n`,
)
