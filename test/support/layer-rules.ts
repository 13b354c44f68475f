import { codeOf, type ImportGraph, type Sources } from './import-graph.ts'

/** What lies at the bottom of core and leans on nothing above: files at its root. */
const LEAVES = 'leaves'

/** The parts of core, and what each may import besides itself. */
const allowedInCore: Readonly<Record<string, readonly string[]>> = {
  index: [LEAVES, 'operations', 'workspace', 'transfer', 'store', 'format', 'chunking', 'project', 'config'],
  operations: [
    ...[LEAVES, 'workspace', 'transfer', 'store', 'format', 'chunking'],
    ...['git', 'project', 'config', 'workers'],
  ],
  workspace: [LEAVES, 'store', 'format', 'chunking', 'git', 'project', 'config', 'workers'],
  transfer: [LEAVES, 'store', 'format', 'chunking', 'config', 'workers'],
  store: [LEAVES, 'format', 'chunking', 'config', 'workers'],
  format: [LEAVES],
  chunking: [LEAVES],
  // How work is shared out among threads: it knows no task. Its entry, main.ts, is treated apart.
  workers: [LEAVES],
  // Which tasks a worker thread can be told to run.
  'worker entry': [LEAVES, 'workspace', 'transfer', 'store', 'format', 'chunking', 'workers'],
  git: [LEAVES, 'config', 'format'],
  project: [LEAVES, 'git', 'config', 'store'],
  config: [LEAVES],
  [LEAVES]: [],
}

/** The parts of transfer, and which others of it each may import. */
const allowedInTransfer: Readonly<Record<string, readonly string[]>> = {
  push: ['view', 'objects'],
  fetch: ['view', 'objects'],
  view: ['objects'],
  objects: [],
}

const WORKER_ENTRY = 'core/workers/main.ts'

/** Every import that runs against the layers, as a line to read. */
export function findLayerBreaks(graph: ImportGraph): string[] {
  const breaks: string[] = []
  for (const [file, imports] of graph) {
    for (const imported of imports) {
      const reason = reasonAgainst(file, imported)
      if (reason !== undefined) breaks.push(`${file} imports ${imported}: ${reason}`)
    }
  }
  return breaks
}

function reasonAgainst(file: string, imported: string): string | undefined {
  const from = file.split('/')[0]
  const to = /^(cli|core|remotes|test|bench)\//.exec(imported)?.[1]
  if (to === undefined) return reasonAgainstPackage(file, imported)
  if (to === 'test' || to === 'bench') return `nothing that is shipped leans on ${to}/`
  if (from === 'cli') return undefined
  if (from === 'remotes') {
    const allowed = to === 'remotes' || imported === 'core/remote.ts' || imported === 'core/errors.ts'
    return allowed ? undefined : 'remotes/ leans on core/remote.ts and core/errors.ts alone'
  }
  if (to !== 'core') return `core/ leans on nothing of ${to}/`
  const part = partOf(file)
  const target = partOf(imported)
  if (part === target) return part === 'transfer' ? reasonWithinTransfer(file, imported) : undefined
  const allowed = allowedInCore[part]
  if (!allowed) return `no rule says what ${part} may import`
  if (allowed.includes(target)) return undefined
  return `${part} may not lean on ${target}`
}

function reasonWithinTransfer(file: string, imported: string): string | undefined {
  const [part, target] = [file, imported].map((path) => path.split('/')[2]!) as [string, string]
  if (part === target || allowedInTransfer[part]?.includes(target)) return undefined
  return `${part} of transfer may not lean on ${target}`
}

function partOf(file: string): string {
  if (file === WORKER_ENTRY) return 'worker entry'
  const [, second, third] = file.split('/')
  if (third !== undefined) return second!
  const name = second!.replace(/\.ts$/, '')
  return name in allowedInCore ? name : LEAVES
}

const IO_MODULES = /^node:(fs|child_process|worker_threads|net|http|https|http2|tls|dgram|cluster)(\/|$)/

function reasonAgainstPackage(file: string, imported: string): string | undefined {
  const pure = /^core\/(format|chunking)\//.test(file)
  return pure && IO_MODULES.test(imported) ? 'format/ and chunking/ do no I/O' : undefined
}

/** The one place that starts git hands the environment on to it whole: it reads nothing there. */
const HANDS_ON_ENVIRONMENT = 'core/git/git-process.ts'

/** Core speaks through results and errors, and is told all it needs. */
export function findTerminalUse(sources: Sources): string[] {
  const found: string[] = []
  for (const [file, text] of sources) {
    if (!file.startsWith('core/')) continue
    const code = file === HANDS_ON_ENVIRONMENT ? codeOf(text).replace('...process.env,', '') : codeOf(text)
    for (const [index, line] of code.split('\n').entries()) {
      const use = /\bconsole\.|\bprocess\.(exit\b|exitCode|env|argv|stdout|stderr|stdin)/.exec(line)?.[0]
      if (use !== undefined) found.push(`${file}:${index + 1} uses ${use}`)
    }
  }
  return found
}

export const MAXIMUM_LINES = 400

export function findLongFiles(sources: Sources): string[] {
  return [...sources]
    .map(([file, text]) => ({ file, lines: text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > MAXIMUM_LINES)
    .map(({ file, lines }) => `${file} has ${lines} lines`)
}

/** Names under which anything can end up. */
export function findCatchAlls(files: Iterable<string>): string[] {
  return [...files].filter((file) => /(^|\/)((types|utils?|helpers|common|misc)(\.ts|\/))/.test(file))
}

/**
 * Unit tests that no file answers to. test/unit/a/b.test.ts stands for core/a/b.ts, and so does
 * test/unit/a/b-topic.test.ts; test/unit/remotes/b.test.ts stands for remotes/b.ts.
 */
export function findStrayUnitTests(tests: Iterable<string>, files: ReadonlySet<string>): string[] {
  return [...tests].filter((test) => {
    const path = /^test\/unit\/(.+)\.test\.ts$/.exec(test)?.[1]
    if (path === undefined) return false
    let name: string = path.startsWith('remotes/') ? path : `core/${path}`
    while (!files.has(`${name}.ts`)) {
      const shorter: string = name.replace(/-[^-/]*$/, '')
      if (shorter === name) return true
      name = shorter
    }
    return false
  })
}
