import { VarveError } from '../../core/errors.ts'
import { readVersion } from '../../core/operations/read-version.ts'
import { defineCommand } from '../command.ts'
import { writePieces } from '../render/write-pieces.ts'
import { withWorkbench } from '../with-workbench.ts'

export const catCommand = defineCommand({
  usage: 'cat [REV:]PATH/FILE',
  description: `Writes a file of a version to standard output, without checking it out. Only the bytes of that file are
fetched where the store lacks them. If the command fails, what it wrote must not be used.

Without REV, the version is what the pointer in the working tree names. REV:PATH counts from the root of the
repository; REV:./PATH from the current directory.`,
  examples: [
    ['varve cat data/labels.csv | head', 'the first lines of a file as it was added'],
    ['varve cat v1.0:data/labels.csv > old.csv', 'a file as it was in the tag v1.0'],
    ['varve cat HEAD~3:./labels.csv', 'three commits ago, from the current directory'],
  ],
  options: {
    remoteName: { type: 'string', short: 'r', valueName: 'NAME', summary: 'Fetch from this remote' },
  },
  positionals: [{ name: 'path', summary: 'The file, as [REV:]PATH', required: true }],
  async run(context, { options, positionals }) {
    const { output, signal } = context
    if (output.json) {
      throw new VarveError('USAGE', 'cat writes the bytes of a file, which are no JSON', {
        hint: 'Leave out --json; `varve ls -l --json` tells id and size.',
      })
    }
    await withWorkbench(context, async (workbench) => {
      const file = await readVersion(workbench, { path: positionals[0]!, remoteName: options.remoteName })
      await writePieces(output.stdout, file.pieces, signal)
    })
  },
})
