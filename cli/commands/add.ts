import { VarveError } from '../../core/errors.ts'
import { add } from '../../core/operations/add.ts'
import { defineCommand } from '../command.ts'
import { formatBytes } from '../render/format-bytes.ts'
import { formatCountOf } from '../render/format-count.ts'
import { shortId } from '../render/short-id.ts'
import { renderTable } from '../render/table.ts'
import { withWorkbench } from '../with-workbench.ts'

export const addCommand = defineCommand({
  usage: 'add [-u] <path...>',
  description:
    'Takes files and directories into the store and writes a small pointer file, NAME.varve, beside each for git to ' +
    'keep. NAME itself goes into .gitignore. Adding again reads only what changed.',
  examples: [
    ['varve add data/train', 'track a directory as a whole'],
    ["varve add 'models/*.onnx' --desc 'first baseline'", 'every file that a pattern matches'],
    ['varve add -u', 'what changed in everything tracked'],
    ['varve add data/train --meta source=camera-3', 'a label, kept in the pointer'],
  ],
  options: {
    update: {
      type: 'boolean',
      short: 'u',
      summary: 'Take in what changed in tracked paths, and nothing new',
    },
    force: { type: 'boolean', short: 'f', summary: 'Add what is here although git has moved the pointer' },
    desc: { type: 'string', valueName: 'TEXT', summary: 'A description, kept in the pointer' },
    meta: { type: 'string', valueName: 'KEY=VALUE', multiple: true, summary: 'A label, kept in the pointer' },
    stage: { type: 'boolean', default: true, summary: 'Leave pointers and .gitignore unstaged in git' },
  },
  positionals: [{ name: 'path', summary: 'A file, a directory or a quoted pattern', variadic: true }],
  async run(context, { options, positionals }) {
    const labels = parseLabels(options.meta)
    if (positionals.length === 0 && !options.update) {
      throw new VarveError('USAGE', 'nothing to add was named', {
        hint: 'Name files or directories; `varve add -u` takes in what changed in those that are tracked.',
      })
    }
    const { added, storedBytes, warnings } = await withWorkbench(context, (workbench) =>
      add(workbench, {
        paths: positionals,
        update: options.update,
        force: options.force,
        stage: options.stage,
        description: options.desc,
        labels,
      }),
    )
    for (const warning of warnings) context.output.warn(warning)
    const { paint } = context.output
    context.output.summary({ added, storedBytes, warnings }, () => {
      const rows = added.map(({ path, change, id, sizeBytes, files, kind }) => {
        const count = kind === 'dir' ? ` in ${formatCountOf(files, 'file')}` : ''
        return [change, path, `${formatBytes(sizeBytes)}${count}`, paint.dim(shortId(id))]
      })
      return renderTable(rows) + (storedBytes > 0 ? `stored ${formatBytes(storedBytes)}` : '')
    })
  },
})

function parseLabels(pairs: readonly string[] | undefined): Record<string, string> {
  const labels: Record<string, string> = {}
  for (const pair of pairs ?? []) {
    const at = pair.indexOf('=')
    if (at < 1) {
      throw new VarveError('USAGE', `--meta ${pair}: not KEY=VALUE`, {
        hint: 'Write it as --meta KEY=VALUE.',
      })
    }
    labels[pair.slice(0, at)] = pair.slice(at + 1)
  }
  return labels
}
