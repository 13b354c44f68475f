import { pull } from '../../core/operations/pull.ts'
import { defineCommand } from '../command.ts'
import { describeFetch, describeRequests } from '../render/requests.ts'
import { transferOptions, transferPositionals } from '../transfer-options.ts'
import { withWorkbench } from '../with-workbench.ts'
import { renderCheckedOut } from './checkout.ts'

export const pullCommand = defineCommand({
  usage: 'pull [path...]',
  description:
    'Fetches what the working tree needs and checks it out. A path may lie inside a tracked directory, or be a ' +
    'pattern: then only these bytes move, and the rest is left out until it is pulled.',
  examples: [
    ['varve pull', 'after `git clone` or `git pull`'],
    ['varve pull data/images/val', 'a part of a tracked directory'],
    ["varve pull 'data/images/train/**/*.png'", 'what a pattern matches'],
  ],
  options: {
    ...transferOptions,
    force: { type: 'boolean', short: 'f', summary: 'Overwrite changes that no version holds' },
  },
  positionals: transferPositionals,
  async run(context, { options, positionals }) {
    const { result, requests } = await withWorkbench(context, async (workbench, requests) => ({
      result: await pull(workbench, { ...options, paths: positionals, revision: options.rev }),
      requests: requests(),
    }))
    context.output.detail(describeRequests(requests))
    const { fetched, checkedOut } = result
    context.output.summary({ ...result, requests }, () =>
      [describeFetch(fetched), renderCheckedOut(checkedOut, context.output)].join('\n'),
    )
  },
})
