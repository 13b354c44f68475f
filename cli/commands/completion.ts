import { basename } from 'node:path'
import { VarveError } from '../../core/errors.ts'
import { defineCommand } from '../command.ts'
import { bashCompletion } from '../completion/bash.ts'
import { describeCommands } from '../completion/describe-commands.ts'
import { fishCompletion } from '../completion/fish.ts'
import { zshCompletion } from '../completion/zsh.ts'

const generators = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion }
const shells = Object.keys(generators) as (keyof typeof generators)[]

export const completionCommand = defineCommand({
  usage: 'completion [shell]',
  description:
    'Without SHELL the script is for your login shell. The script says in its first lines where to put it.',
  examples: [
    ['source <(varve completion bash)', 'complete in this bash session'],
    ['varve completion zsh > ~/.zfunc/_varve', 'for zsh, with ~/.zfunc in fpath'],
    ['varve completion fish > ~/.config/fish/completions/varve.fish', 'for fish'],
  ],
  options: {},
  positionals: [{ name: 'shell', summary: 'The shell to print a script for', choices: shells }],
  async run({ output, commands, environment }, { positionals }) {
    const wanted = positionals[0] ?? basename(environment.shell ?? '')
    const shell = shells.find((one) => one === wanted)
    if (!shell) {
      throw new VarveError(
        'USAGE',
        wanted === '' ? 'no login shell is known' : `no completion for '${wanted}'`,
        {
          hint: `Name one of ${shells.join(', ')}.`,
        },
      )
    }
    const script = generators[shell](await describeCommands(commands))
    output.result({ shell, script }, () => script)
  },
})
