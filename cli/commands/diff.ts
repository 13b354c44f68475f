import { diff } from '../../core/operations/diff.ts'
import { revisionsAndPaths } from '../../core/operations/revisions-and-paths.ts'
import { defineCommand } from '../command.ts'
import { describeBytes, describeCounts, renderChanges } from '../render/changes.ts'
import { shortId } from '../render/short-id.ts'
import { withWorkbench } from '../with-workbench.ts'

export const diffCommand = defineCommand({
  usage: 'diff [rev] [rev] [-- path...]',
  description:
    'Files added, deleted, modified and renamed. Without a revision the workspace is compared with its pointers, with ' +
    'one revision the workspace with that, with two these with each other.',
  examples: [
    ['varve diff', 'what changed since the last add'],
    ['varve diff v1 v2 -- data/train', 'between two releases'],
    ['varve diff main~3', 'the workspace against three commits ago'],
  ],
  options: {
    exitCode: { type: 'boolean', summary: 'Exit with 1 where there are differences' },
    stat: { type: 'boolean', summary: 'Numbers alone' },
    remoteName: { type: 'string', short: 'r', valueName: 'NAME', summary: 'Fetch listings from this remote' },
  },
  positionals: [{ name: 'rev', summary: 'Revisions, then paths', variadic: true }],
  afterDashDash: 'separate',
  async run(context, { options, positionals, dashDash }) {
    const diffs = await withWorkbench(context, async (workbench) => {
      const words = { before: positionals, afterDashDash: dashDash }
      const { revisions, paths } = await revisionsAndPaths(workbench, words, 2)
      return diff(workbench, { revisions, paths, remoteName: options.remoteName })
    })
    const { paint } = context.output
    context.output.result(diffs, () =>
      diffs
        .flatMap(({ path, before, after, isAbsent, counts, changes }) => [
          [
            paint.bold(path),
            paint.dim([shortId(before), shortId(after)].filter((id) => id !== '').join(' -> ')),
            isAbsent ? 'not in the workspace' : describeCounts(counts),
            describeBytes(counts),
          ]
            .filter((part) => part !== '')
            .join('  '),
          ...(options.stat
            ? []
            : renderChanges(changes, { paint, indent: '  ', most: Number.POSITIVE_INFINITY })),
        ])
        .join('\n'),
    )
    return options.exitCode && diffs.length > 0 ? 1 : 0
  },
})
