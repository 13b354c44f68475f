import type { VarveError } from '../../core/errors.ts'
import { formatDuration } from './format-duration.ts'

/** What `-v` says of a request that is made again. A server's own words may be in the message. */
export function describeRetry(error: VarveError, delayMs: number): string {
  return `again in ${formatDuration(delayMs)}: ${onOneLine(error)}`
}

/** What had arrived other than it was written. */
export function describeMended(error: VarveError): string {
  return `${onOneLine(error)}; it arrived damaged, and was read again`
}

function onOneLine({ message }: VarveError): string {
  return message.replace(/\p{Cc}/gu, ' ')
}
