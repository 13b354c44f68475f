import { fetch } from '../../core/operations/fetch.ts'
import { defineCommand } from '../command.ts'
import { describeFetch, withRequests } from '../render/requests.ts'
import { transferOptions, transferPositionals } from '../transfer-options.ts'
import { withWorkbench } from '../with-workbench.ts'

export const fetchCommand = defineCommand({
  usage: 'fetch [path...]',
  description:
    'Leaves the workspace as it is: `varve checkout` brings what was fetched into it, and needs no remote any more.',
  examples: [
    ['varve fetch', 'what the working tree needs'],
    ['varve fetch --rev v1.0 data/train', 'a version of the past, to check out offline later'],
    ['varve fetch --all', 'the whole history of all branches'],
  ],
  options: transferOptions,
  positionals: transferPositionals,
  async run(context, { options, positionals }) {
    const { result, requests } = await withWorkbench(
      context,
      async (workbench, requests) => ({
        result: await fetch(workbench, { ...options, paths: positionals, revision: options.rev }),
        requests: requests(),
      }),
      { jobs: options.jobs },
    )
    context.output.summary({ ...result, requests }, () => withRequests([describeFetch(result)], requests))
  },
})
