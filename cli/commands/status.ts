import { type PathStatus, status } from '../../core/operations/status.ts'
import { defineCommand } from '../command.ts'
import { describeCounts, renderChanges } from '../render/changes.ts'
import { formatCountOf } from '../render/format-count.ts'
import type { Output } from '../render/output.ts'
import { withWorkbench } from '../with-workbench.ts'

/** Names that are shown of a path's changes; -v and --json show all. */
const SHOWN_CHANGES = 5

export const statusCommand = defineCommand({
  usage: 'status [path...]',
  description:
    'For each tracked path: whether the workspace holds what its pointer names, and whether the default remote has ' +
    'it, as far as this clone knows. Files are read only where their time stamps cannot tell.',
  examples: [
    ['varve status', 'everything tracked'],
    ['varve status data -v', 'every changed file of one path'],
    ['varve status --remote', 'ask the remote what it has'],
  ],
  options: {
    remote: { type: 'boolean', summary: 'Ask the remote, instead of what is known of it' },
    remoteName: { type: 'string', short: 'r', valueName: 'NAME', summary: 'Another remote than the default' },
  },
  positionals: [{ name: 'path', summary: 'Only these', variadic: true }],
  async run(context, { options, positionals }) {
    const result = await withWorkbench(context, (workbench) =>
      status(workbench, { paths: positionals, askRemote: options.remote, remoteName: options.remoteName }),
    )
    const json = {
      remote: result.remote,
      paths: result.paths.map(({ error, ...path }) => ({
        ...path,
        ...(error && { error: { code: error.code, message: error.message, hint: error.hint } }),
      })),
    }
    context.output.result(json, () =>
      render(result.paths, { output: context.output, isAsked: options.remote }),
    )
  },
})

/** `isAsked`: the remote told just now what it has; else only what it is known to have is sure. */
function render(
  paths: readonly PathStatus[],
  { output, isAsked }: { output: Output; isAsked: boolean },
): string {
  if (paths.length === 0) return 'nothing is tracked yet: `varve add PATH` begins'
  const width = Math.max(...paths.map(({ path }) => path.length))
  const lines = paths.flatMap((path) => [
    `${colour(path, output)(words(path).padEnd(10))}  ${path.path.padEnd(width)}  ${notes(path, isAsked)}`.trimEnd(),
    ...renderChanges(path.changes, {
      paint: output.paint,
      indent: '    ',
      most: output.verbose ? Number.POSITIVE_INFINITY : SHOWN_CHANGES,
    }),
  ])
  const advice = adviceOn(paths, isAsked)
  return [
    ...lines,
    ...(advice.length > 0 && !output.quiet ? ['', ...advice.map((line) => output.paint.dim(line))] : []),
  ].join('\n')
}

function words({ state }: PathStatus): string {
  return { 'not-pulled': 'not pulled', 'bad-pointer': 'bad' }[state as string] ?? state
}

function colour({ state }: PathStatus, { paint }: Output): (text: string) => string {
  if (state === 'unchanged') return paint.green
  return state === 'modified' || state === 'outdated' || state === 'not-pulled' ? paint.yellow : paint.red
}

function notes({ counts, leftOutFiles, onRemote, error }: PathStatus, isAsked: boolean): string {
  return [
    describeCounts(counts),
    ...(leftOutFiles > 0 ? [`${formatCountOf(leftOutFiles, 'file')} left out`] : []),
    ...(onRemote === false ? [isAsked ? 'not on the remote' : 'not known to be on the remote'] : []),
    ...(error === undefined ? [] : [error.message]),
  ]
    .filter((part) => part !== '')
    .join('; ')
}

function adviceOn(paths: readonly PathStatus[], isAsked: boolean): string[] {
  const has = (state: PathStatus['state']) => paths.some((path) => path.state === state)
  return [
    ...(has('modified')
      ? [
          '`varve add PATH` takes its changes in; `varve checkout PATH --force` gives them up for what the pointer names',
        ]
      : []),
    ...(has('outdated')
      ? [
          'outdated: git has moved the pointer; `varve pull` brings the data along, and keeps your changes or names them',
        ]
      : []),
    ...(has('missing') ? ['`varve checkout` brings what is missing'] : []),
    ...(has('not-pulled') ? ['`varve pull` fetches what is not here'] : []),
    ...(paths.some(({ leftOutFiles }) => leftOutFiles > 0)
      ? ['left out: `varve pull PATH` brings the rest of a directory']
      : []),
    ...(paths.some(({ onRemote }) => onRemote === false)
      ? [
          '`varve push` sends what the remote lacks' +
            (isAsked ? '' : '; `varve status --remote` asks what it has'),
        ]
      : []),
  ]
}
