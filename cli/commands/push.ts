import { type PushResult, push } from '../../core/operations/push.ts'
import { defineCommand } from '../command.ts'
import { formatBytes } from '../render/format-bytes.ts'
import { formatCountOf } from '../render/format-count.ts'
import { describeRequests } from '../render/requests.ts'
import { shortId } from '../render/short-id.ts'
import { transferOptions, transferPositionals } from '../transfer-options.ts'
import { withWorkbench } from '../with-workbench.ts'

export const pushCommand = defineCommand({
  usage: 'push [path...]',
  description:
    "By default: every version in the branch's commits, git's index and the working tree that this remote does not " +
    'have yet. Only what these versions need is sent, and only what the remote lacks.',
  examples: [
    ['varve push', 'before `git push`'],
    ['varve push -r backup --all', 'the whole history of all branches to a second remote'],
    ["varve push 'data/images/train/**/*.png'", 'a part of a tracked directory'],
  ],
  options: transferOptions,
  positionals: transferPositionals,
  async run(context, { options, positionals }) {
    const { result, requests } = await withWorkbench(context, async (workbench, requests) => ({
      result: await push(workbench, { ...options, paths: positionals, revision: options.rev }),
      requests: requests(),
    }))
    const { versions, unavailable, packs, bytes, remote } = result
    for (const { path, id } of unavailable)
      context.output.detail(`not here, and not on the remote: ${path} ${id}`)
    if (unavailable.length > 0) context.output.warn(describeUnavailable(unavailable))
    context.output.detail(describeRequests(requests))
    context.output.summary({ ...result, requests }, () =>
      versions.length === 0
        ? `${remote} has everything${unavailable.length > 0 ? ' else' : ''}`
        : `pushed ${formatCountOf(versions.length, 'version')} to ${remote}: ${formatCountOf(packs, 'pack')}, ${formatBytes(bytes)}`,
    )
  },
})

const MOST_SHOWN = 5

function describeUnavailable(unavailable: PushResult['unavailable']): string {
  const shown = unavailable.slice(0, MOST_SHOWN).map(({ path, id }) => `${path} ${shortId(id)}`)
  const more = unavailable.length - shown.length
  return (
    `not pushed, for the bytes are neither here nor on the remote: ${shown.join(', ')}` +
    `${more > 0 ? ` and ${more} more (-v lists them)` : ''}; whoever added it must push it`
  )
}
