import { cases } from './cases.mjs'
import { peers } from './peers/all.mjs'
import { varve } from './peers/varve.mjs'
import { median, pairwiseRatios } from './statistics.mjs'
import { ownSteps, targets } from './targets.mjs'

/** The page of the benchmarks. Every figure on it comes from the results. */
export function render(results) {
  const measured = Object.keys(cases).filter((name) => results[name] !== undefined)
  return `${[
    introduction,
    environment(results),
    '## Targets',
    targetLegend,
    targetTable(results),
    '## Where another tool is faster',
    losses(results),
    '## Growth',
    growthTable(results),
    '## The cases',
    legend,
    ...measured.flatMap((name) => [`### ${name}`, `${cases[name].title}.`, caseTable(name, results)]),
    '## What is run',
    'In a folder of each tool, where `workspace/data` is a copy of `$DATA`; what sets a repository up is left out here.',
    commands(results),
  ].join('\n\n')}\n`
}

const introduction = `# Benchmarks

Varve beside a plain copy and beside other tools for large files, on the same data and the same machine. This page is
written by the program that measures; do not edit it.

\`\`\`sh
npm run build
node bench/compare/main.mjs                      # all but the long cases
node bench/compare/main.mjs A B --peers cp,borg  # some of it; the rest of the page stays
node bench/compare/main.mjs --render             # only write this page anew
\`\`\`

The long cases are measured where they are named: ${Object.keys(cases)
  .filter((name) => cases[name].isLong)
  .join(', ')}. Each tool that is
found in \`PATH\` takes part. The runs themselves are in \`bench/compare/results.json\`.

How it is measured:

- Varve and the other tool take turns, each with fresh targets, and what is still to be written is flushed before each
  run. A ratio is the median over pairs of neighbours, with its range: single figures depend on what else the machine
  does, the ratio of neighbours much less. Seven pairs where a run takes less than 20 s, three below a minute, else one.
- The page cache is warm, as after the data was made.
- A run is a whole process, from its start to its end.
- \`add\` and \`push\` of Varve are durable when they end, so they stand beside \`cp -r\` followed by \`sync -f\`; checkout
  stands beside \`cp -r\` alone. Other tools are run as they come; not all of them flush.
- Peak memory is that of the largest process of a run, as GNU time tells it. What is kept by several processes is more.
- A tool that takes longer than 600 s is stopped.`

const targetLegend = `What Varve means to reach, and what it does. "×" is Varve's time over that of what stands beside it. Times and ratios
are medians, with the least and the most; memory is the most that was seen.`

const legend = `Seconds are medians. In the column of another tool, in brackets: how many times as long as Varve it takes, the median
of the pairwise ratios and their range; above 1 Varve is faster. An empty cell is an operation that the tool does not
have. What is new is by how much a folder grew; files that a tool overwrites do not show there.`

function environment(results) {
  const records = Object.entries(results).flatMap(([caseName, beside]) =>
    Object.entries(beside).map(([toolName, record]) => ({ caseName, toolName, ...record })),
  )
  const listed = (key) => [...new Set(records.map((record) => record[key]))].join('; ') || 'nothing yet'
  const versions = peers.flatMap(({ name }) => {
    const found = [...new Set(records.filter(({ toolName }) => toolName === name).map(({ tool }) => tool))]
    return found.length === 0 ? [] : [`- ${name}: ${found.join('; ')}`]
  })
  const absent = peers.map(({ name }) => name).filter((name) => !records.some((r) => r.toolName === name))
  const text = [`- Machine: ${listed('machine')}`, `- Varve: ${listed('varve')}`, ...versions]
  if (absent.length > 0)
    text.push(`- Not installed, or not asked for, and so not measured: ${absent.join(', ')}`)
  return text.join('\n')
}

function targetTable(results) {
  const lines = targets.map((target) => {
    const { what, most, aim, unit, measure } = target
    const show = (value) => (value === undefined ? '' : `${figure(value)}${unit}`)
    const found = measure(results)
    const range = found?.least === undefined ? '' : ` (${figure(found.least)} to ${figure(found.most)})`
    return [what, show(most), show(aim), show(found?.value) + range, verdict(target, found)]
  })
  return table(['case', 'at most', 'aim', 'measured', ''], lines)
}

function verdict({ most, aim }, found) {
  if (found === undefined) return 'not measured'
  if (most === undefined) return ''
  if (found.value > most) return '**not met**'
  return aim !== undefined && found.value <= aim ? 'met, the aim too' : 'met'
}

function losses(results) {
  const lines = Object.keys(cases).flatMap((caseName) =>
    cases[caseName].steps.flatMap(({ key, title }) =>
      peers
        .filter((tool) => !tool.isBaseline)
        .flatMap(({ name }) => {
          const pair = results[caseName]?.[name]?.steps[key]
          if (pair?.other === undefined) return []
          const ratio = ratioOf(pair)
          return ratio.median < 1 ? [`- ${caseName}, ${title}: ${name}, ${showRatio(ratio)}`] : []
        }),
    ),
  )
  if (Object.keys(results).length === 0) return 'Nothing is measured yet.'
  return lines.length > 0 ? lines.join('\n') : 'In none of the rows measured.'
}

function growthTable(results) {
  const names = Object.keys(cases).filter((name) => /^(growth|large)-/.test(name))
  const lines = names.map((name) => {
    const own = ownSteps(results, name)
    const times = ['add', 'status', 'push', 'checkout'].map((key) =>
      own[key] ? seconds(own[key].varve) : '',
    )
    const copy = results[name]?.cp?.steps.add?.other
    const peak = peakCell(Object.values(own).map((step) => step.varve))
    return [cases[name].title, ...times, peak, copy ? seconds(copy) : '']
  })
  return table(['', 'add', 'status', 'push', 'checkout', 'peak memory', 'durable copy'], lines)
}

function caseTable(caseName, results) {
  const beside = results[caseName]
  const tools = peers.map(({ name }) => name).filter((name) => beside[name] !== undefined)
  const own = ownSteps(results, caseName)
  const rows = cases[caseName].steps.flatMap(({ key, title, weighs }) => {
    const times = tools.map((name) => timeCell(beside[name], key))
    const row = [title, own[key] ? seconds(own[key].varve) : '', ...times]
    if (weighs === undefined) return [row]
    const weights = tools.map((name) => weightCell(beside[name].steps[key]?.other))
    const where = weighs === 'store' ? 'new in the store' : 'new at the remote'
    return [row, [`… ${where}`, weightCell(own[key]?.varve), ...weights]]
  })
  const ownPeak = peakCell(
    Object.values(beside).flatMap(({ steps }) => Object.values(steps).map((s) => s.varve)),
  )
  const peaks = tools.map((name) => peakCell(Object.values(beside[name].steps).flatMap((s) => s.other ?? [])))
  return table(['', 'Varve', ...tools], [...rows, ['peak memory', ownPeak, ...peaks]])
}

function timeCell({ steps, failure }, key) {
  if (failure?.step === key) return failure.message.startsWith('over ') ? failure.message : 'failed'
  const pair = steps[key]
  return pair?.other === undefined ? '' : `${seconds(pair.other)} (${showRatio(ratioOf(pair))})`
}

function ratioOf({ varve, other }) {
  return pairwiseRatios(other.seconds, varve.seconds)
}

function showRatio({ median, least, most, pairs }) {
  return pairs === 1
    ? `${figure(median)}×, one pair`
    : `${figure(median)}×, ${figure(least)} to ${figure(most)}`
}

function seconds(run) {
  return `${figure(median(run.seconds))} s`
}

function weightCell(run) {
  if (run?.newBytes === undefined) return ''
  return `${figure(run.newBytes / 1e6)} MB, ${run.newFiles.toLocaleString('en')} files`
}

function peakCell(runs) {
  const peaks = runs.map(({ peakMB }) => peakMB).filter((peak) => peak !== null)
  return peaks.length === 0 ? '' : `${Math.max(...peaks).toLocaleString('en')} MB`
}

/** Three digits where there are decimals, which is more than a noisy machine is good for. */
function figure(value) {
  if (value >= 100) return Math.round(value).toLocaleString('en')
  return value.toFixed(value >= 10 ? 1 : 2)
}

function commands(results) {
  const isShown = ({ name }) => Object.values(results).some((beside) => beside[name] !== undefined)
  const steps = [...new Map(Object.values(cases).flatMap((c) => c.steps.map((s) => [s.key, s.title])))]
  return [varve, ...peers.filter(isShown)]
    .map((tool) => {
      const titles = new Map()
      for (const [key, title] of steps) {
        if (tool[key] !== undefined) titles.set(tool[key], [...(titles.get(tool[key]) ?? []), title])
      }
      const lines = [...titles].map(([script, of]) => `# ${of.join('; ')}\n${script}`)
      return `### ${tool.name}\n\n\`\`\`sh\n${lines.join('\n')}\n\`\`\``
    })
    .join('\n\n')
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
