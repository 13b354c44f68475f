import { defineCommand } from '../command.ts'
import { version } from '../version.ts'

export const versionCommand = defineCommand({
  usage: 'version',
  examples: [
    ['varve version', 'for people, and for bug reports'],
    ['varve version --json', 'for scripts'],
  ],
  options: {},
  positionals: [],
  async run({ output }) {
    const node = process.versions.node
    const platform = `${process.platform}-${process.arch}`
    output.result({ version, node, platform }, () => `varve ${version} (node ${node}, ${platform})`)
  },
})
