import type { VarveError } from '../../core/errors.ts'
import { formatDuration } from './format-duration.ts'

/** What `-v` says of a request that is made again. A server's own words may be in the message. */
export function describeRetry(error: VarveError, delayMs: number): string {
  return `again in ${formatDuration(delayMs)}: ${error.message.replace(/\p{Cc}/gu, ' ')}`
}
