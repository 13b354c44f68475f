import { defineCommand } from '../command.ts'
import { help } from '../help/help.ts'

export const helpCommand = defineCommand({
  usage: 'help [command...]',
  examples: [
    ['varve help', 'list all commands'],
    ['varve help completion', 'show how to use one'],
  ],
  options: {},
  positionals: [{ name: 'command', summary: 'A command, in one word or two', variadic: true }],
  async run({ output, commands }, { positionals }) {
    await help({ name: positionals.join(' ') || undefined, commands, output })
  },
})
