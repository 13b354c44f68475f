import { Readable } from 'node:stream'
import { VarveError } from '../../core/errors.ts'
import type { ByteRange } from '../../core/remote.ts'
import { type ContentRange, parseContentRange, parseCount, parseUnsatisfiedRange } from './content-range.ts'
import { dumpBody } from './dump-body.ts'
import type { HttpAnswer } from './exchange.ts'
import { statusError } from './status-error.ts'
import { streamBody } from './stream-body.ts'

/** What a server that knows no ranges may send in vain before the part that is wanted. */
const MOST_SKIPPED_BYTES = 1 << 20

type ReadAnswerOptions = {
  range: ByteRange | undefined
  host: string
  doing: string
  signal?: AbortSignal | undefined
}

/**
 * The bytes of an answer to a GET, or those of `range` where that was asked for and is not empty.
 * @throws NOT_FOUND, NO_PERMISSION, REMOTE_BUSY; REMOTE_FAILED for an answer that does not keep to RFC 9110, that is
 * compressed, or that gives all where a part from far inside was asked for
 */
export async function readAnswer(answer: HttpAnswer, options: ReadAnswerOptions): Promise<Readable> {
  const { statusCode, headers, body } = answer
  const { range, host, doing, signal } = options
  const refuse = async (error: VarveError): Promise<never> => {
    await dumpBody(body)
    throw error
  }
  if (statusCode !== 200 && statusCode !== 206 && statusCode !== 416) {
    return refuse(statusError(statusCode, doing))
  }
  if (statusCode === 416) {
    const totalBytes = parseUnsatisfiedRange(headers['content-range'])
    if (range === undefined || (totalBytes ?? range.start) > range.start) {
      return refuse(statusError(statusCode, doing))
    }
    await dumpBody(body)
    return Readable.from([], { objectMode: false })
  }
  if (isEncoded(answer)) {
    body.destroy()
    throw encoded(doing)
  }
  if (statusCode === 206) {
    const sent = parseContentRange(headers['content-range'])
    const expectedBytes = sent && range && wantedBytes(sent, range)
    if (expectedBytes === undefined) {
      body.destroy()
      throw wrongPart(doing)
    }
    return streamBody(body, { expectedBytes, host, doing, signal })
  }
  const expectedBytes = parseCount(headers['content-length'])
  if (range === undefined) return streamBody(body, { expectedBytes, host, doing, signal })
  const skipBytes = Math.min(range.start, expectedBytes ?? range.start)
  if (skipBytes > MOST_SKIPPED_BYTES) {
    body.destroy()
    throw withoutRanges(doing)
  }
  const mostBytes = range.endExclusive - range.start
  return streamBody(body, { expectedBytes, skipBytes, mostBytes, host, doing, signal })
}

export function isEncoded({ headers }: HttpAnswer): boolean {
  return !/^(identity)?$/i.test(headers['content-encoding'] ?? '')
}

/**
 * What a part should have brought; undefined for another part than was asked for. A server may send less, which then
 * counts as cut off.
 */
function wantedBytes(sent: ContentRange, { start, endExclusive }: ByteRange): number | undefined {
  const wantedEnd = Math.min(endExclusive, sent.totalBytes ?? sent.endExclusive)
  return sent.start === start && sent.endExclusive <= wantedEnd ? wantedEnd - start : undefined
}

function encoded(doing: string): VarveError {
  return new VarveError(
    'REMOTE_FAILED',
    `the web server compresses what it was to send as it is, while ${doing}`,
    {
      hint: 'Turn compression (gzip, br, zstd) off for that folder on the server.',
    },
  )
}

function wrongPart(doing: string): VarveError {
  return new VarveError(
    'REMOTE_FAILED',
    `the web server sends another part than was asked for while ${doing}`,
    {
      hint: 'Check the server and any proxy between: byte ranges (RFC 9110) are not answered as they should be.',
      retryable: true,
    },
  )
}

function withoutRanges(doing: string): VarveError {
  return new VarveError(
    'REMOTE_FAILED',
    `the web server has no byte ranges, and sends everything while ${doing}`,
    {
      hint: 'Turn byte ranges on at the server, or try plain `varve pull`: it can do where whole packs are wanted.',
    },
  )
}
