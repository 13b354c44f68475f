// What a remote whose index is too large to be kept by every clone costs its users.
//
//   node bench/remote-scale/main.mjs [ROWS...] [--folder DIR]
//
// For each number of rows (2e7 and 5e7 if none is given; 5e7 take 2.6 GB, and data and clones 5 GB beside them, in DIR
// or the system's temporary folder) it writes the index and samples of a remote of so many chunks into a folder, pushes
// a dataset of 1 GiB in 10,000 files there, and then measures, each in a process of its own:
//   pull     a fresh clone fetches the dataset
//   change   that clone pushes a version in which 100 of the files are new
//   again    a clone of another repository pushes the same dataset
//   new      a clone of another repository pushes another dataset, of which the remote has nothing
// Requests are counted as an object store would: a listing is one for each thousand keys.

import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeIndex } from './make-index.mjs'
import { addDataset, pull, push } from './scenarios.mjs'

const script = fileURLToPath(import.meta.url)
const TASKS = { makeIndex, addDataset, pull, push }
const OTHER_REPOSITORY = 'f'.repeat(32)
const THIRD_REPOSITORY = 'e'.repeat(32)

/** In a process of its own, so that its memory is its own. */
function inProcess(task, options) {
  const words = [script, '--task', task, JSON.stringify(options)]
  const { status, stdout } = spawnSync(process.execPath, words, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) throw new Error(`${task} failed`)
  return JSON.parse(stdout)
}

function line(name, { counts, packs, peakMB }) {
  const { stat, read, write, list, remove, indexBytes, packBytes, bytesWritten } = counts
  const requests = { list, stat, read, write, remove }
  const MB = (bytes) => Number((bytes / 1e6).toFixed(2))
  return {
    what: name,
    ...requests,
    'read beside packs, MB': MB(indexBytes),
    'read of packs, MB': MB(packBytes),
    'written, MB': MB(bytesWritten),
    packs,
    'peak MB': Math.round(peakMB),
  }
}

function measure(base, rowCount) {
  const folder = fs.mkdtempSync(path.join(base, 'varve-bench-remote-'))
  const remoteFolder = path.join(folder, 'remote')
  const clone = (name) => path.join(folder, name)
  fs.mkdirSync(remoteFolder)
  try {
    const index = inProcess('makeIndex', { folder: remoteFolder, rowCount })
    console.log(`${rowCount.toExponential()} chunks`, index)
    const author = clone('author')
    const dataset = inProcess('addDataset', { folder: author, changed: 0 })
    inProcess('push', { folder: author, remoteFolder, dataset })
    const reader = clone('reader')
    const lines = [line('pull', inProcess('pull', { folder: reader, remoteFolder, dataset }))]
    const changed = inProcess('addDataset', { folder: reader, changed: 100 })
    const pushAs = (name, options) => lines.push(line(name, inProcess('push', { remoteFolder, ...options })))
    pushAs('change', { folder: reader, dataset: changed })
    fs.rmSync(reader, { recursive: true })
    const again = { folder: path.join(author, 'again'), dataset, repositoryId: OTHER_REPOSITORY }
    fs.mkdirSync(again.folder)
    fs.renameSync(path.join(author, 'store'), path.join(again.folder, 'store'))
    pushAs('again', again)
    fs.rmSync(author, { recursive: true })
    const news = clone('news')
    const other = inProcess('addDataset', { folder: news, changed: 10_000 })
    pushAs('new', { folder: news, dataset: other, repositoryId: THIRD_REPOSITORY })
    console.table(lines)
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

const words = process.argv.slice(2)
if (words[0] === '--task') {
  console.log(JSON.stringify(await TASKS[words[1]](JSON.parse(words[2]))))
} else {
  const at = words.indexOf('--folder')
  const [, base = os.tmpdir()] = at === -1 ? [] : words.splice(at, 2)
  for (const rowCount of (words.length > 0 ? words : ['2e7', '5e7']).map(Number)) measure(base, rowCount)
}
