// The main job at full size: what is sent, how many objects, how much memory, how long beside a durable copy.
//
//   npm run build && node bench/main-job.mjs [CASE...] [--folder DIR]
//
// Cases: small-files csv-insert float-edit one-of-100k one-byte many-files. Without a case, all of them; that takes
// some 30 GB in DIR (the system's temporary folder) and a quarter of an hour. The data is made by a seeded generator.

import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  changeFloats,
  generator,
  insertRows,
  logUniform,
  MiB,
  makeCsv,
  makeFloats,
  makeIncompressible,
  makeSmallFiles,
} from './datasets.mjs'

const varveScript = fileURLToPath(new URL('../dist/varve.js', import.meta.url))
const words = process.argv.slice(2)
const folderAt = words.indexOf('--folder')
const base = folderAt === -1 ? os.tmpdir() : words.splice(folderAt, 2)[1]

/** A new repository with a remote folder beside it. */
function makeRepository(name) {
  const folder = fs.mkdtempSync(path.join(base, `varve-bench-${name}-`))
  const root = path.join(folder, 'repository')
  const remote = path.join(folder, 'remote')
  git(folder, 'init', '--quiet', 'repository')
  git(root, 'config', 'user.email', 'bench@example.org')
  git(root, 'config', 'user.name', 'Bench')
  varve(root, 'init')
  varve(root, 'remote', 'add', 'origin', '../remote')
  git(root, 'commit', '--quiet', '-m', 'begin')
  return { folder, root, remote }
}

function git(cwd, ...args) {
  return execFileSync('git', args, { cwd, encoding: 'utf8' })
}

/** Runs varve; gives its JSON, seconds and peak resident memory in MiB. */
function varve(cwd, ...args) {
  const report = path.join(os.tmpdir(), `varve-bench-${process.pid}.json`)
  // The peak since exec: `maxRSS` would count what this process weighed when it forked.
  const peak = `Number(/VmHWM:\\s+(\\d+)/.exec(fs.readFileSync('/proc/self/status','utf8'))[1])`
  const hook = `const fs=require('node:fs');process.on('exit',()=>fs.writeFileSync(${JSON.stringify(report)},String(${peak})))`
  const hookFile = path.join(os.tmpdir(), `varve-bench-${process.pid}.cjs`)
  fs.writeFileSync(hookFile, hook)
  const started = performance.now()
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--require', hookFile, varveScript, ...args, '--json'],
    { cwd, encoding: 'utf8', maxBuffer: 1 << 30 },
  )
  const seconds = (performance.now() - started) / 1000
  if (status !== 0) throw new Error(`varve ${args.join(' ')}: exit ${status}\n${stderr}${stdout}`)
  const memoryMiB = Number(fs.readFileSync(report, 'utf8')) / 1024
  return { result: stdout === '' ? undefined : JSON.parse(stdout), seconds, memoryMiB }
}

function say(text) {
  process.stdout.write(`${text}\n`)
}

function row(what, run, extra = '') {
  say(
    `  ${what.padEnd(34)} ${run.seconds.toFixed(2).padStart(8)} s ${run.memoryMiB.toFixed(0).padStart(6)} MiB  ${extra}`,
  )
}

function traffic({ result }) {
  const { requests } = result
  return `sent ${(requests.bytesWritten / MiB).toFixed(2)} MiB, received ${(requests.bytesRead / MiB).toFixed(2)} MiB, requests ${JSON.stringify(requests)}`
}

function objectsIn(folder) {
  return fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .length
}

function durableCopy(source, target) {
  const started = performance.now()
  execFileSync('cp', ['-r', source, target])
  execFileSync('sync', ['-f', target])
  const seconds = (performance.now() - started) / 1000
  say(`  ${'cp -r and sync -f'.padEnd(34)} ${seconds.toFixed(2).padStart(8)} s`)
}

function commit(root, message) {
  git(root, 'commit', '--quiet', '-m', message)
}

function cleanUp({ folder }) {
  fs.rmSync(folder, { recursive: true, force: true })
}

const cases = {
  'small-files'() {
    say('20,000 files of 200 B to 64 KiB in 100 directories')
    const repository = makeRepository('small-files')
    const { folder, root, remote } = repository
    const random = generator(1)
    const sizeOf = () => logUniform(random, 200, 65_536)
    makeSmallFiles(path.join(root, 'data'), { directories: 100, filesEach: 200, random, sizeOf })
    execFileSync('sync', ['-f', root])
    row('add', varve(root, 'add', 'data'))
    commit(root, 'data')
    const push = varve(root, 'push')
    row('push', push, `${objectsIn(remote)} objects at the remote`)
    const again = varve(root, 'push')
    row('push of nothing', again, traffic(again))
    git(folder, 'clone', '--quiet', 'repository', 'clone')
    const clone = path.join(folder, 'clone')
    const pull = varve(clone, 'pull')
    row('pull', pull, traffic(pull))
    const pullAgain = varve(clone, 'pull')
    row('pull of nothing', pullAgain, traffic(pullAgain))
    row('status, nothing changed', varve(clone, 'status'))
    execFileSync('diff', ['-r', path.join(root, 'data'), path.join(clone, 'data')])
    say('  diff -r: identical')
    durableCopy(path.join(root, 'data'), path.join(folder, 'copy'))
    cleanUp(repository)
  },

  'csv-insert'() {
    say('a CSV of 1 GiB, then 1,000 rows inserted at 10 places')
    const repository = makeRepository('csv-insert')
    const { root } = repository
    const file = path.join(root, 'table.csv')
    const random = generator(2)
    makeCsv(file, 1024 * MiB, random)
    row('add', varve(root, 'add', 'table.csv'))
    commit(root, 'one')
    row('push', varve(root, 'push'))
    const edited = `${file}.new`
    insertRows(file, edited, random)
    fs.renameSync(edited, file)
    const add = varve(root, 'add', 'table.csv')
    row('add after the edit', add, `stored ${(add.result.storedBytes / MiB).toFixed(2)} MiB`)
    commit(root, 'two')
    const push = varve(root, 'push')
    row('second push', push, traffic(push))
    cleanUp(repository)
  },

  'float-edit'() {
    say('float32 weights of 512 MiB, then 1 % of them changed in contiguous regions')
    const repository = makeRepository('float-edit')
    const { root } = repository
    const file = path.join(root, 'weights.bin')
    const random = generator(3)
    makeFloats(file, 512 * MiB, random)
    row('add', varve(root, 'add', 'weights.bin'))
    commit(root, 'one')
    row('push', varve(root, 'push'))
    changeFloats(file, random)
    const add = varve(root, 'add', 'weights.bin')
    row('add after the edit', add, `stored ${(add.result.storedBytes / MiB).toFixed(2)} MiB`)
    commit(root, 'two')
    const push = varve(root, 'push')
    row('second push', push, traffic(push))
    cleanUp(repository)
  },

  'one-of-100k'() {
    say('one file changed in a tracked directory of 100,000 files')
    const repository = makeRepository('one-of-100k')
    const { root } = repository
    const random = generator(4)
    makeSmallFiles(path.join(root, 'data'), { directories: 100, filesEach: 1000, random, sizeOf: () => 300 })
    row('add', varve(root, 'add', 'data'))
    commit(root, 'one')
    row('push', varve(root, 'push'))
    fs.writeFileSync(path.join(root, 'data', 'd0050', 'f500.bin'), 'changed\n')
    row('add after the edit', varve(root, 'add', 'data'))
    commit(root, 'two')
    const push = varve(root, 'push')
    row('second push', push, traffic(push))
    cleanUp(repository)
  },

  'one-byte'() {
    say('one byte changed in the middle of a file of 8 GiB')
    const repository = makeRepository('one-byte')
    const { folder, root } = repository
    const file = path.join(root, 'large.bin')
    makeIncompressible(file, 8192 * MiB, 5)
    row('add', varve(root, 'add', 'large.bin'))
    commit(root, 'one')
    row('push', varve(root, 'push'))
    const edit = fs.openSync(file, 'r+')
    fs.writeSync(edit, Buffer.from([1]), 0, 1, 4096 * MiB)
    fs.closeSync(edit)
    const add = varve(root, 'add', 'large.bin')
    row('add after the edit', add, `stored ${(add.result.storedBytes / MiB).toFixed(3)} MiB`)
    commit(root, 'two')
    const push = varve(root, 'push')
    row('second push', push, traffic(push))
    fs.rmSync(file)
    row('checkout', varve(root, 'checkout'))
    durableCopy(file, path.join(folder, 'copy'))
    cleanUp(repository)
  },

  'many-files'() {
    say('200,000 files of 300 B')
    const repository = makeRepository('many-files')
    const { folder, root } = repository
    const random = generator(6)
    makeSmallFiles(path.join(root, 'data'), { directories: 200, filesEach: 1000, random, sizeOf: () => 300 })
    row('add', varve(root, 'add', 'data'))
    row('status, nothing changed', varve(root, 'status'))
    commit(root, 'one')
    row('push', varve(root, 'push'))
    durableCopy(path.join(root, 'data'), path.join(folder, 'copy'))
    cleanUp(repository)
  },
}

for (const name of words.length > 0 ? words : Object.keys(cases)) {
  if (cases[name] === undefined)
    throw new Error(`no such case: ${name}; there are ${Object.keys(cases).join(', ')}`)
  cases[name]()
}
