import { init } from '../../core/operations/init.ts'
import { defineCommand } from '../command.ts'

export const initCommand = defineCommand({
  usage: 'init',
  description:
    'Run it once in a git repository, in any folder of it. It writes varve.yaml, which all clones share, and a line ' +
    'in .gitattributes; data goes into .git/varve unless --store says otherwise. Where this was done before, nothing ' +
    'changes. A clone of such a repository needs no init.',
  examples: [
    ['varve init', 'use varve in this repository'],
    ['varve init --store /big/disk/varve', 'keep the data of this clone elsewhere, or share it among clones'],
  ],
  options: {
    store: {
      type: 'string',
      valueName: 'PATH',
      summary: 'Keep data in this folder; a setting of this clone',
    },
    stage: { type: 'boolean', default: true, summary: 'Do not stage what was written with git' },
  },
  positionals: [],
  async run({ cwd, output }, { options }) {
    const { store, stage } = options
    const { root, repositoryId, created, storeFolder, isShared } = await init(cwd, { store, stage })
    const json = { root, repositoryId, created, store: storeFolder, sharedStore: isShared }
    output.summary(json, () => {
      const head =
        created.length === 0
          ? `varve is set up already in ${root}`
          : `varve is set up in ${root}: wrote ${created.join(' and ')}`
      return `${head}\ndata is kept in ${storeFolder}`
    })
    if (created.length > 0) {
      output.note(
        'Next: `varve add PATH` tracks data, `varve remote add NAME URL` says where to push it, `git commit` keeps both.',
      )
    }
  },
})
