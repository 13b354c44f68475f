import { VarveError } from '../../core/errors.ts'
import { type LoggedVersion, log } from '../../core/operations/log.ts'
import { defineCommand } from '../command.ts'
import { describeBytes, describeCounts } from '../render/changes.ts'
import { formatBytes } from '../render/format-bytes.ts'
import { formatCountOf } from '../render/format-count.ts'
import type { Output } from '../render/output.ts'
import { shortId } from '../render/short-id.ts'
import { withWorkbench } from '../with-workbench.ts'

export const logCommand = defineCommand({
  usage: 'log [path]',
  description: `Shows the versions of a dataset or model through git's history, newest first, with what changed in each: files
added, modified, deleted and renamed, and the bytes that came and went. What the working tree has and HEAD does not comes
first.

PATH is followed through renames. Without it, or with a folder, the versions of all that is tracked there are shown by commit.
Changes are counted from listings in the store; where these were never fetched, it says so.`,
  examples: [
    ['varve log data/images', 'all versions of data/images'],
    ['varve log -n 3', 'the last three versions of anything'],
    ['varve log models/base.bin --json', 'for scripts'],
  ],
  options: {
    count: { type: 'number', short: 'n', valueName: 'COUNT', summary: 'Show at most so many versions' },
  },
  positionals: [{ name: 'path', summary: 'A tracked path, or a folder; everything by default' }],
  async run(context, { options, positionals }) {
    const { output } = context
    if (options.count === 0) {
      throw new VarveError('USAGE', '--count 0 would show nothing', { hint: 'Give a COUNT of 1 or more.' })
    }
    await withWorkbench(context, async (workbench) => {
      const versions = await log(workbench, { path: positionals[0], mostVersions: options.count })
      output.result(versions.map(toJson), () => renderLog(versions, output))
    })
  },
})

function toJson({ commit, path, change, from, pointer, problem, counts }: LoggedVersion) {
  return {
    commit: commit?.commit ?? null,
    date: commit?.date ?? null,
    author: commit === undefined ? null : { name: commit.authorName, email: commit.authorEmail },
    subject: commit?.subject ?? null,
    path,
    change,
    from: from ?? null,
    kind: pointer?.kind ?? null,
    id: pointer === undefined || pointer.kind === 'link' ? null : pointer.id,
    sizeBytes: pointer?.sizeBytes ?? null,
    files: pointer === undefined ? null : filesOf(pointer),
    problem: problem ?? null,
    counts: counts ?? null,
  }
}

function renderLog(versions: readonly LoggedVersion[], { paint }: Pick<Output, 'paint'>): string {
  let text = ''
  let last: string | null | undefined
  for (const version of versions) {
    const { commit } = version
    const id = commit?.commit ?? null
    if (id !== last) {
      if (last !== undefined) text += '\n'
      text +=
        commit === undefined
          ? `${paint.yellow('(not committed)')}\n`
          : `${paint.yellow(commit.commit.slice(0, 10))}  ${shortDate(commit.date)}  ${commit.authorName}  ${commit.subject}\n`
      last = id
    }
    text += `  ${renderVersion(version, paint)}\n`
  }
  return text
}

function renderVersion(version: LoggedVersion, paint: Output['paint']): string {
  const { path, from, change, pointer, problem, counts } = version
  const name = from === undefined ? path : `${from} => ${path}`
  if (problem !== undefined) return `${name}  ${paint.red('unreadable pointer:')} ${problem}`
  const changes =
    counts === undefined
      ? 'changes unknown: not fetched'
      : [describeCounts(counts), describeBytes(counts)].filter((part) => part !== '').join('; ') ||
        'same content'
  if (change === 'deleted' || pointer === undefined) return `${name}  deleted  (${changes})`
  const id = pointer.kind === 'link' ? `-> ${pointer.target}` : shortId(pointer.id)
  const size = formatBytes(pointer.sizeBytes)
  const files = pointer.kind === 'dir' ? ` in ${formatCountOf(pointer.files, 'file')}` : ''
  return `${name}  ${id}  ${size}${files}  (${changes})`
}

function filesOf(pointer: NonNullable<LoggedVersion['pointer']>): number {
  return pointer.kind === 'dir' ? pointer.files : 1
}

/** `2024-01-31 14:05 +0100` of strict ISO 8601. */
function shortDate(date: string): string {
  const [, day, time, zone] = /^(\S+)T(\d\d:\d\d):\d\d(?:\.\d+)?(.*)$/.exec(date) ?? []
  if (day === undefined) return date
  return `${day} ${time} ${zone === 'Z' ? '+0000' : zone?.replace(':', '')}`
}
