import { type PullResult, pull } from '../../core/operations/pull.ts'
import { typedPath } from '../../core/operations/typed-path.ts'
import { defineCommand } from '../command.ts'
import { formatBytes } from '../render/format-bytes.ts'
import { describeFetch, withRequests } from '../render/requests.ts'
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
    ['varve pull --no-store', 'in a job that only reads: no second copy on the disk'],
  ],
  options: {
    ...transferOptions,
    force: { type: 'boolean', short: 'f', summary: 'Overwrite changes that no version holds' },
    store: {
      type: 'boolean',
      default: true,
      summary: 'Bring bytes straight into the workspace, and keep none in the store',
    },
  },
  positionals: transferPositionals,
  async run(context, { options, positionals }) {
    const { result, requests, typed } = await withWorkbench(
      context,
      async (workbench, requests) => ({
        result: await pull(workbench, { ...options, paths: positionals, revision: options.rev }),
        requests: requests(),
        typed: (path: string) => typedPath(workbench, path),
      }),
      { jobs: options.jobs },
    )
    const { output } = context
    output.summary({ ...result, requests }, () =>
      withRequests(
        [describeBrought(result), renderCheckedOut(result.checkedOut, { output, typed })],
        requests,
      ),
    )
  },
})

function describeBrought({ fetched, streamedBytes }: PullResult): string {
  if (streamedBytes === 0) return describeFetch(fetched)
  const straight = `brought ${formatBytes(streamedBytes)} from ${fetched.remote} straight into the workspace`
  if (fetched.packs === 0) return straight
  return `${straight}; the store keeps ${formatBytes(fetched.bytes)} of listings and recipes`
}
