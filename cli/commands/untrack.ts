import { untrack } from '../../core/operations/untrack.ts'
import { defineCommand } from '../command.ts'
import { formatCountOf } from '../render/format-count.ts'
import { withWorkbench } from '../with-workbench.ts'

export const untrackCommand = defineCommand({
  usage: 'untrack <path...>',
  description:
    'Removes the pointer and the line in .gitignore. The data stays where it is, and versions that were added stay ' +
    'in the store and in the history of git. From then on git sees the data, and would take it in.',
  examples: [
    ['varve untrack data/raw.csv', 'stop versioning this file'],
    ["varve untrack 'data/*.csv'", 'several, by a pattern'],
  ],
  options: { stage: { type: 'boolean', default: true, summary: 'Do not stage the change with git' } },
  positionals: [
    { name: 'path', summary: 'What is tracked, its pointer, or a pattern', required: true, variadic: true },
  ],
  async run(context, { options, positionals }) {
    const { output } = context
    await withWorkbench(context, async (workbench) => {
      const untracked = await untrack(workbench, { paths: positionals, stage: options.stage })
      output.summary({ untracked }, () =>
        untracked.map(({ path }) => `no longer tracked: ${path}`).join('\n'),
      )
      const visible = untracked.filter(({ visibleToGit }) => visibleToGit)
      if (visible.length > 0) {
        const more = visible.length > 1 ? ` and ${formatCountOf(visible.length - 1, 'more path')}` : ''
        output.warn(`\`git add .\` would now put ${visible[0]!.path}${more} into git; move it or ignore it`)
      }
      for (const { path, inWorkspace } of untracked) {
        if (inWorkspace) continue
        output.note(
          `${path} is not in the workspace; \`varve checkout REV -- ${path}\` brings an earlier version.`,
        )
      }
    })
  },
})
