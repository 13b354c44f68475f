import type { FetchResult } from '../../core/operations/fetch.ts'
import type { RequestCounts } from '../../remotes/with-counting.ts'
import { formatBytes } from './format-bytes.ts'
import { formatCountOf } from './format-count.ts'

/** `lines`, and what they took of a remote, where they took anything. */
export function withRequests(lines: readonly string[], requests: RequestCounts): string {
  const { bytesRead, bytesWritten, ...verbs } = requests
  const isAny = Object.values(verbs).some((count) => count > 0)
  return (isAny ? [...lines, describeRequests(requests)] : lines).join('\n')
}

export function describeRequests(requests: RequestCounts): string {
  const { bytesRead, bytesWritten, ...verbs } = requests
  const parts = Object.entries(verbs)
    .filter(([, count]) => count > 0)
    .map(([verb, count]) => `${count} ${verb}`)
  const traffic = `${formatBytes(bytesWritten)} sent, ${formatBytes(bytesRead)} received`
  return `requests: ${parts.length > 0 ? parts.join(', ') : 'none'}; ${traffic}`
}

export function describeFetch({ remote, packs, bytes }: FetchResult): string {
  if (packs === 0) return 'nothing to fetch'
  return `fetched ${formatBytes(bytes)} from ${remote} (${formatCountOf(packs, 'pack')})`
}
