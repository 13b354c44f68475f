// How long the built command line takes to start, beside an empty node: `npm run build && node bench/startup.mjs`.
// More command lines can be given, each as one argument: node bench/startup.mjs 'status' 'log data'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../dist/varve.js', import.meta.url))
const rounds = Number(process.env.ROUNDS ?? 30)
const extra = process.argv.slice(2).map((line) => line.split(' '))
const lines = [['--version'], ['version'], ['help'], ['help', 'version'], ...extra]
const subjects = [
  { label: 'node -e 0', args: ['-e', '0'] },
  ...lines.map((line) => ({ label: `varve ${line.join(' ')}`, args: [program, ...line] })),
].map((subject) => ({ ...subject, times: [] }))

// Turn and turn about, so that a slow spell of the machine falls on all alike.
for (let round = 0; round < rounds; round++) {
  for (const { args, times } of subjects) {
    const start = performance.now()
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    times.push(performance.now() - start)
    if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`)
  }
}

const median = (times) => times.sort((a, b) => a - b)[times.length >> 1]
const base = median(subjects[0].times)
for (const { label, times } of subjects) {
  const ms = median(times)
  console.log(`${label.padEnd(30)} ${ms.toFixed(1).padStart(7)} ms  ${(ms / base).toFixed(2)} x`)
}
