import type { IncomingMessage } from 'node:http'

/** In bytes, as the headers state it; of a body of unknown length, a length that it hardly exceeds. */
export function bodyLength(message: IncomingMessage): number {
  const stated = message.headers['content-length']
  if (stated !== undefined) return Number(stated)
  return message.headers['transfer-encoding'] === undefined ? 0 : UNKNOWN_LENGTH_BYTES
}

const UNKNOWN_LENGTH_BYTES = 64
