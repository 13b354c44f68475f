import { type PushResult, push } from '../../core/operations/push.ts'
import type { RehearsedRequests } from '../../core/transfer/push/rehearsal-remote.ts'
import { defineCommand } from '../command.ts'
import { formatBytes } from '../render/format-bytes.ts'
import { formatCountOf } from '../render/format-count.ts'
import { describeRequests, withRequests } from '../render/requests.ts'
import { shortId } from '../render/short-id.ts'
import { transferOptions, transferPositionals } from '../transfer-options.ts'
import { type AdaptRemote, withWorkbench } from '../with-workbench.ts'

export const pushCommand = defineCommand({
  usage: 'push [path...]',
  description:
    "By default: every version in the branch's commits, git's index and the working tree that this remote does not " +
    'have yet. Only what these versions need is sent, and only what the remote lacks.',
  examples: [
    ['varve push', 'before `git push`'],
    ['varve push -r backup --all', 'the whole history of all branches to a second remote'],
    ["varve push 'data/images/train/**/*.png'", 'a part of a tracked directory'],
    ['varve push --dry-run', 'what it would send, and in how many requests'],
  ],
  options: {
    ...transferOptions,
    dryRun: { type: 'boolean', short: 'n', summary: 'Say what would be sent; send and write nothing' },
  },
  positionals: transferPositionals,
  async run(context, { options, positionals }) {
    const { result, requests } = await withWorkbench(
      context,
      async (workbench, requests) => ({
        result: await push(workbench, { ...options, paths: positionals, revision: options.rev }),
        requests: requests(),
      }),
      { jobs: options.jobs, adapt: options.dryRun ? asIfMade : refuseReadOnly },
    )
    const { rehearsed, hadSome, ...pushed } = result
    const { unavailable } = pushed
    for (const { path, id } of unavailable)
      context.output.detail(`not here, and not on the remote: ${path} ${id}`)
    if (unavailable.length > 0) context.output.warn(describeUnavailable(unavailable))
    const value = { ...pushed, dryRun: options.dryRun, requests: rehearsed ?? requests }
    context.output.summary(value, () =>
      rehearsed === undefined
        ? withRequests([describePush(result, 'pushed')], requests)
        : [describePush(result, 'would push'), describeRehearsed(rehearsed)].join('\n'),
    )
  },
})

/** Before anything is asked of a remote that can take nothing. */
const refuseReadOnly: AdaptRemote = async (remote, { url }) => {
  const { parseRemoteUrl } = await import('../../remotes/remote-url.ts')
  if (parseRemoteUrl(url).kind !== 'http') return remote
  const { readOnly } = await import('../../remotes/http/read-only.ts')
  throw readOnly(remote.label)
}

/** The folder that the first push will make stands there as an empty one. */
const asIfMade: AdaptRemote = async (remote, opened) => {
  await refuseReadOnly(remote, opened)
  const { url, baseFolder } = opened
  const [{ findMissingFolder }, { createMemoryRemote }] = await Promise.all([
    import('../../remotes/find-missing-folder.ts'),
    import('../../remotes/memory.ts'),
  ])
  const missing = await findMissingFolder(url, { baseFolder })
  return missing?.canBeMade ? { ...createMemoryRemote(), label: remote.label } : remote
}

function describePush(
  { versions, unavailable, hadSome, packs, bytes, remote }: PushResult,
  verb: 'pushed' | 'would push',
): string {
  if (versions.length === 0) {
    if (unavailable.length === 0) return `${remote} has everything`
    if (hadSome) return `${remote} has everything else`
    return `nothing ${verb === 'pushed' ? 'was' : 'would be'} pushed to ${remote}: the bytes are not here`
  }
  const what = formatCountOf(versions.length, 'version')
  return `${verb} ${what} to ${remote}: ${formatCountOf(packs, 'pack')}, ${formatBytes(bytes)}`
}

function describeRehearsed({ largeWrites, ...requests }: RehearsedRequests): string {
  const large = largeWrites > 0 ? ` (${formatCountOf(largeWrites, 'write')} of more than 16 MiB)` : ''
  return `${describeRequests(requests)}${large}`
}

const MOST_SHOWN = 5

function describeUnavailable(unavailable: PushResult['unavailable']): string {
  const shown = unavailable.slice(0, MOST_SHOWN).map(({ path, id }) => `${path} ${shortId(id)}`)
  const more = unavailable.length - shown.length
  return (
    `not pushed, for the bytes are neither here nor on the remote: ${shown.join(', ')}` +
    `${more > 0 ? ` and ${more} more (-v lists them)` : ''}; whoever added it must push it`
  )
}
