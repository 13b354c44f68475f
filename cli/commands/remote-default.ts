import { findRemote } from '../../core/config/find-remote.ts'
import { setDefaultRemote } from '../../core/operations/remote-default.ts'
import { openProject } from '../../core/project.ts'
import { defineCommand } from '../command.ts'

export const remoteDefaultCommand = defineCommand({
  usage: 'remote default [name]',
  examples: [
    ['varve remote default', 'show it'],
    ['varve remote default origin', 'set it for all clones'],
    ['varve remote default scratch --local', 'set it for this clone alone'],
  ],
  options: {
    local: { type: 'boolean', summary: 'For this clone alone: nothing is committed' },
    stage: { type: 'boolean', default: true, summary: 'Do not stage varve.yaml with git' },
  },
  positionals: [{ name: 'name', summary: 'The remote' }],
  async run({ cwd, output }, { options, positionals }) {
    const project = await openProject(cwd)
    const [name] = positionals
    if (name === undefined) {
      const { name: current } = findRemote(project.config)
      output.result({ default: current }, () => current)
      return
    }
    const source = options.local ? 'local' : 'committed'
    const current = await setDefaultRemote(project, name, { source, stage: options.stage })
    output.summary({ default: current ?? null }, () => `the default remote is ${name}`)
    if (current !== name) {
      output.warn(
        `this clone has a default of its own, ${current}; \`varve config --unset default --local\` takes it out`,
      )
    }
  },
})
