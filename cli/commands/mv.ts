import { move } from '../../core/operations/move.ts'
import { pointerPathOf } from '../../core/operations/tracked.ts'
import { defineCommand } from '../command.ts'
import { withWorkbench } from '../with-workbench.ts'

export const mvCommand = defineCommand({
  usage: 'mv <from> <to>',
  description:
    'Renames a tracked file or directory together with its pointer and its line in .gitignore. Into a directory that ' +
    'is there it goes under its own name. Nothing is overwritten, and no folder is made.',
  examples: [
    ['varve mv data/raw.csv data/2024.csv', 'give it another name'],
    ['varve mv model.bin archive/', 'move it into a folder'],
  ],
  options: { stage: { type: 'boolean', default: true, summary: 'Do not stage the change with git' } },
  positionals: [
    { name: 'from', summary: 'What is tracked, or its pointer', required: true },
    { name: 'to', summary: 'Its new path, or a folder that is there', required: true },
  ],
  async run(context, { options, positionals }) {
    const { output } = context
    const [typedFrom, typedTo] = positionals as [string, string]
    await withWorkbench(context, async (workbench) => {
      const { from, to, dataMoved } = await move(workbench, {
        from: typedFrom,
        to: typedTo,
        stage: options.stage,
      })
      output.summary({ from, to, pointer: pointerPathOf(to), dataMoved }, () => `moved ${from} to ${to}`)
      if (!dataMoved) output.note(`${from} is not in the workspace: only its pointer moved.`)
    })
  },
})
