import type { VarveError } from '../../core/errors.ts'
import type { OnRetry } from '../../remotes/with-retry.ts'
import { formatDuration } from './format-duration.ts'
import type { Output } from './output.ts'

/** Once is a hiccup. A host that never answers is given up after three. */
const TOLD_FAILURES = 2

/** Tells of requests that are made again: with `-v` of all, else of those that keep failing. */
export function tellRetries(output: Pick<Output, 'detail' | 'warn'>): OnRetry {
  return (error, { delayMs, failures }) => {
    const text = `${onOneLine(error)}; again in ${formatDuration(delayMs)}`
    if (failures >= TOLD_FAILURES) output.warn(text)
    else output.detail(text)
  }
}

/** What had arrived other than it was written. */
export function describeMended(error: VarveError): string {
  return `${onOneLine(error)}; it arrived damaged, and was read again`
}

/** A server's own words may be in the message. */
function onOneLine({ message }: VarveError): string {
  return message.replace(/\p{Cc}/gu, ' ')
}
