// Varve beside its peers: measures, and writes docs/benchmarks.md.
//
//   npm run build && node bench/compare/main.mjs [CASE...] [options]
//
//   --peers A,B    what stands beside Varve, of those installed (each case has its own list)
//   --pairs N      so many pairs of everything (else 7, 3 or 1, by how long one takes)
//   --folder DIR   where the data is made and kept, and the work done (varve-compare in the temporary folder)
//   --varve FILE   another build than dist/varve.js
//   --quick        tiny data and two pairs, to try this program: results and page are written into DIR
//   --render       measures nothing, writes the page anew
//
// cases.mjs names the cases. Without one: all but the long ones.

import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cases } from './cases.mjs'
import { makeEnvironment, setUp } from './installed.mjs'
import { describeMachine, requireSpace } from './machine.mjs'
import { canMeasureMemory, endAll, measure } from './measure.mjs'
import { peers } from './peers/all.mjs'
import { varve } from './peers/varve.mjs'
import { removeTree } from './remove-tree.mjs'
import { render } from './render.mjs'
import { readResults, recordResult } from './results.mjs'
import { runCase } from './run-case.mjs'

const here = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peers: { type: 'string' },
    pairs: { type: 'string' },
    folder: { type: 'string', default: path.join(os.tmpdir(), 'varve-compare') },
    varve: { type: 'string', default: here('../../dist/varve.js') },
    quick: { type: 'boolean', default: false },
    render: { type: 'boolean', default: false },
  },
})
const folder = path.resolve(options.folder)
const dataFolder = path.join(folder, options.quick ? 'quick-data' : 'data')
const runFolder = path.join(folder, `run-${process.pid}`)
const resultsFile = options.quick ? path.join(folder, 'quick-results.json') : here('results.json')
const page = options.quick ? path.join(folder, 'quick-benchmarks.md') : here('../../docs/benchmarks.md')
const pairs = options.pairs === undefined ? (options.quick ? 2 : undefined) : Number(options.pairs)

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    endAll()
    cleanUp()
    process.exit(130)
  })
}

if (!options.render) await measureAll()
fs.writeFileSync(page, render(readResults(resultsFile)))
say(`written: ${page}`)

async function measureAll() {
  const chosen =
    positionals.length > 0 ? positionals : Object.keys(cases).filter((name) => !cases[name].isLong)
  const unknown = chosen.find((name) => cases[name] === undefined)
  if (unknown !== undefined) throw new Error(`no case ${unknown}; there are ${Object.keys(cases).join(' ')}`)
  if (!canMeasureMemory) say('GNU time is not installed: peak memory is not measured')
  fs.mkdirSync(dataFolder, { recursive: true })
  fs.mkdirSync(runFolder)
  try {
    const env = makeEnvironment(runFolder, path.resolve(options.varve))
    const facts = { machine: describeMachine(folder), varve: await describeVarve(env) }
    for (const caseName of chosen) await measureCase(caseName, { env, facts })
  } finally {
    cleanUp()
  }
}

async function measureCase(caseName, { env, facts }) {
  const plan = cases[caseName]
  const beside = options.peers?.split(',') ?? plan.beside
  const unknown = beside.find((name) => !peers.some((tool) => tool.name === name))
  if (unknown !== undefined)
    throw new Error(`no peer ${unknown}; there are ${peers.map((tool) => tool.name).join(' ')}`)
  if (!options.quick) requireSpace(folder, plan.neededBytes)
  const dataEnv = { ...env, DATA: await makeData(plan.data, env) }
  if (plan.edited !== undefined) dataEnv.EDITED = await makeData(plan.edited, env)
  for (const tool of peers.filter(({ name }) => beside.includes(name))) {
    const version = await setUp(tool, { folder: runFolder, env })
    if (version === undefined) {
      say(`${caseName}: ${tool.name} is not installed, and not measured`)
      continue
    }
    say(`${caseName}, beside ${version}`)
    const workFolder = path.join(runFolder, 'work')
    const tell = (text) => say(`  ${text}`)
    const { rows, failure } = await runCase(plan, tool, {
      folder: workFolder,
      env: dataEnv,
      pairs,
      say: tell,
    })
    if (failure !== undefined) say(`  ${tool.name} failed at ${failure.step}: ${failure.message}`)
    // First what was measured: removing millions of files takes longer than some of it.
    const toolFacts = { ...facts, tool: version }
    recordResult(resultsFile, { caseName, toolName: tool.name, facts: toolFacts, rows, failure })
    removeTree(workFolder)
  }
  if (plan.isDataKept === false) removeTree(dataEnv.DATA)
}

/** The folder of named data, made unless it is there from an earlier run. */
async function makeData(name, env) {
  const target = path.join(dataFolder, name)
  if (fs.existsSync(target)) return target
  say(`making the data ${name}`)
  const partial = path.join(dataFolder, `part-${name}`)
  removeTree(partial)
  const quick = options.quick ? '--quick' : ''
  await measure(`'${process.execPath}' '${here('make-data.mjs')}' ${name} '${partial}' ${quick}`, {
    cwd: runFolder,
    env,
  })
  fs.renameSync(partial, target)
  return target
}

async function describeVarve(env) {
  const version = await setUp(varve, { folder: runFolder, env })
  const commit = execFileSync('git', ['describe', '--always', '--dirty'], {
    cwd: here('.'),
    encoding: 'utf8',
  })
  return `${version} at ${commit.trim()}`
}

function cleanUp() {
  removeTree(runFolder)
  for (const name of fs.existsSync(dataFolder) ? fs.readdirSync(dataFolder) : []) {
    if (name.startsWith('part-')) removeTree(path.join(dataFolder, name))
  }
}

function say(text) {
  process.stdout.write(`${text}\n`)
}
