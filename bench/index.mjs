// The index at scale: a million, ten million, a hundred million ids.
//
//   node bench/index.mjs [ROWS...] [--folder DIR] [--rows-per-add N]
//
// For each number of rows (1e6 and 1e7 if none is given) it builds an index as `add` does, from checkpoints of 200,000
// rows that are merged as they grow many, and then asks it, each in a process of its own. 1e8 rows take 6 GB in DIR (the
// system's temporary folder) and some five minutes. Pages come from the system's cache as far as it has them: on a cold
// disk, what a look-up costs is its page reads.

import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const LOOK_UPS = 100_000
const ROWS_PER_PACK = 1000
const DIGEST_BYTES = 32
/** Ids from here on are in no index. */
const FIRST_ABSENT = 0x8000_0000

const script = fileURLToPath(import.meta.url)
const repository = path.dirname(path.dirname(script))

/** The modules that are measured, bundled beside the packages that they need. */
async function loadIndex() {
  const names = {
    'store/index-set': 'IndexSet',
    'store/row-buffer': 'RowBuffer',
    'format/segment': 'ROW_BYTES, writeRow',
  }
  const outfile = path.join(repository, `node_modules/.cache/bench-index-${process.pid}.mjs`)
  try {
    await build({
      stdin: {
        contents: Object.entries(names)
          .map(([file, exported]) => `export { ${exported} } from './core/${file}.ts'`)
          .join('\n'),
        resolveDir: repository,
      },
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
    })
    return await import(pathToFileURL(outfile).href)
  } finally {
    fs.rmSync(outfile, { force: true })
  }
}

function scramble(number) {
  let bits = number ^ (number >>> 16)
  bits = Math.imul(bits, 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return bits ^ (bits >>> 16)
}

/** The digest of id `number`: the same each time, and spread as a hash's. */
function writeDigest(target, at, number) {
  for (let i = 0; i < DIGEST_BYTES / 4; i++) {
    const word = scramble(number + Math.imul(i, 0x9e3779b1)) ^ scramble(Math.imul(number, 0x27d4eb2f) + i)
    target.writeInt32LE(word, at + i * 4)
  }
}

const seconds = (since) => (performance.now() - since) / 1000
const residentMB = () => process.memoryUsage.rss() / 1e6
const peakMB = () => process.resourceUsage().maxRSS / 1000

/** Removes the segments that are superseded, which Varve would leave for a day. */
function sweep(folder, index) {
  const live = new Set(index.names.map((name) => `${name}.idx`))
  let bytes = 0
  for (const file of fs.readdirSync(path.join(folder, 'index'))) {
    const whole = path.join(folder, 'index', file)
    if (live.has(file)) bytes += fs.statSync(whole).size
    else fs.rmSync(whole, { force: true })
  }
  return bytes
}

async function buildIndex({ folder, rowCount, rowsPerAdd }) {
  const { IndexSet, RowBuffer, ROW_BYTES, writeRow } = await loadIndex()
  const index = new IndexSet(folder)
  const digest = Buffer.alloc(DIGEST_BYTES)
  const sizes = { storedBytes: 20, rawBytes: 20 }
  let addSeconds = 0
  let slowestAdd = 0
  let bytes = 0
  for (let done = 0; done < rowCount; done += rowsPerAdd) {
    const buffer = new RowBuffer()
    for (let first = done; first < Math.min(done + rowsPerAdd, rowCount); first += ROWS_PER_PACK) {
      const rows = Buffer.allocUnsafe(ROWS_PER_PACK * ROW_BYTES)
      for (let i = 0; i < ROWS_PER_PACK; i++) {
        writeDigest(digest, 0, first + i)
        writeRow(rows, i * ROW_BYTES, digest, {
          kind: 'chunk',
          codec: 'raw',
          packIndex: 0,
          offset: 16 + i * 20,
          ...sizes,
        })
      }
      writeDigest(digest, 0, 0xf000_0000 + first / ROWS_PER_PACK)
      buffer.addPack(digest.toString('hex'), rows)
    }
    const start = performance.now()
    index.add(buffer)
    const took = seconds(start)
    addSeconds += took
    slowestAdd = Math.max(slowestAdd, took)
    bytes = sweep(folder, index)
  }
  const { length: segments } = index.names
  index.close()
  return { addSeconds, slowestAdd, segments, bytes, buildPeakMB: peakMB() }
}

async function askIndex({ folder, rowCount }) {
  const { IndexSet } = await loadIndex()
  const before = residentMB()
  const start = performance.now()
  const index = new IndexSet(folder)
  const opened = { openMs: seconds(start) * 1000, openMB: residentMB() - before }
  const present = askFor(index, (i) => (scramble(i) >>> 0) % rowCount)
  const absent = askFor(index, (i) => FIRST_ABSENT + i)
  if (present.found !== LOOK_UPS || absent.found !== 0) throw new Error('the index gives wrong answers')
  index.close()
  return { ...opened, present, absent, askPeakMB: peakMB() }
}

/** What a look-up takes, the filling of the cache included. */
function askFor(index, idOf) {
  const digests = Buffer.alloc(LOOK_UPS * DIGEST_BYTES)
  for (let i = 0; i < LOOK_UPS; i++) writeDigest(digests, i * DIGEST_BYTES, idOf(i))
  const readBefore = index.pageReadCount
  let found = 0
  const start = performance.now()
  for (let i = 0; i < LOOK_UPS; i++) {
    if (index.has('chunk', digests.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES))) found++
  }
  const microseconds = (seconds(start) * 1e6) / LOOK_UPS
  return { found, microseconds, pageReads: (index.pageReadCount - readBefore) / LOOK_UPS }
}

/** The same in a process of its own, so that its memory is its own. */
function inProcess(task, options) {
  const { status, stdout } = spawnSync(process.execPath, [script, '--task', task, JSON.stringify(options)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) throw new Error(`${task} failed`)
  return JSON.parse(stdout)
}

function measure(base, rowCount, rowsPerAdd) {
  const folder = fs.mkdtempSync(path.join(base, 'varve-bench-index-'))
  try {
    const built = inProcess('build', { folder, rowCount, rowsPerAdd })
    const asked = inProcess('ask', { folder, rowCount })
    const round = (number, digits) => Number(number.toFixed(digits))
    return {
      rows: rowCount.toExponential(),
      MB: Math.round(built.bytes / 1e6),
      segments: built.segments,
      'added rows/s': Math.round(rowCount / built.addSeconds),
      'slowest add, s': round(built.slowestAdd, 1),
      'peak MB': Math.round(built.buildPeakMB),
      'open, ms': round(asked.openMs, 1),
      'open, MB': round(asked.openMB, 1),
      'present, µs': round(asked.present.microseconds, 2),
      'present, page reads': round(asked.present.pageReads, 2),
      'absent, µs': round(asked.absent.microseconds, 2),
      'absent, page reads': round(asked.absent.pageReads, 2),
      'asking, peak MB': Math.round(asked.askPeakMB),
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

const words = process.argv.slice(2)

function takeOption(name, fallback) {
  const at = words.indexOf(`--${name}`)
  return at === -1 ? fallback : words.splice(at, 2)[1]
}

if (words[0] === '--task') {
  const task = words[1] === 'build' ? buildIndex : askIndex
  console.log(JSON.stringify(await task(JSON.parse(words[2]))))
} else {
  const base = takeOption('folder', os.tmpdir())
  const rowsPerAdd = Number(takeOption('rows-per-add', '2e5'))
  const counts = (words.length > 0 ? words : ['1e6', '1e7']).map(Number)
  const results = counts.map((rowCount) => measure(base, rowCount, rowsPerAdd))
  for (const name of Object.keys(results[0])) {
    console.log(name.padEnd(22), ...results.map((result) => String(result[name]).padStart(12)))
  }
}
