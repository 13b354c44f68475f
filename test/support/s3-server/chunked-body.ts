import { createHash } from 'node:crypto'
import { S3Failure } from './s3-failure.ts'
import { type Signature, sha256Hex } from './signature.ts'

const LEAST_CHUNK_BYTES = 8192
const MOST_LINE_BYTES = 4096
const EMPTY_SHA256 = sha256Hex('')

type ChunkedOptions = {
  body: AsyncIterable<Buffer>
  /** Where each chunk is signed: the signature of the headers, which the first is linked to. */
  signature: Signature | undefined
  /** The one header that is announced to follow the last chunk, in lower case. */
  trailer: string | undefined
  onTrailer: (value: string) => void
}

/**
 * The bytes inside `aws-chunked`. Source:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and sigv4-streaming-trailers.html
 */
export async function* readChunkedBody(options: ChunkedOptions): AsyncGenerator<Buffer> {
  const input = new LineReader(options.body)
  try {
    yield* readChunks(input, options)
  } finally {
    await input.close()
  }
}

async function* readChunks(input: LineReader, options: ChunkedOptions): AsyncGenerator<Buffer> {
  const { signature, trailer } = options
  let previous = signature?.value ?? ''
  let hasSmallChunk = false
  for (;;) {
    const match = /^([0-9a-fA-F]{1,9})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(await input.line())
    if (match === null || (match[2] === undefined) !== (signature === undefined)) {
      throw new S3Failure('IncompleteBody', 'a chunk has no well-formed first line')
    }
    const sizeBytes = Number.parseInt(match[1]!, 16)
    if (sizeBytes > 0 && hasSmallChunk) throw new S3Failure('InvalidChunkSizeError')
    hasSmallChunk = sizeBytes < LEAST_CHUNK_BYTES
    const hash = createHash('sha256')
    for await (const piece of input.bytes(sizeBytes)) {
      if (signature !== undefined) hash.update(piece)
      yield piece
    }
    if (signature !== undefined) {
      const digest = hash.digest('hex')
      const expected = signLinked(signature, 'AWS4-HMAC-SHA256-PAYLOAD', [previous, EMPTY_SHA256, digest])
      if (match[2] !== expected) throw new S3Failure('SignatureDoesNotMatch')
      previous = expected
    }
    if (sizeBytes === 0) break
    if ((await input.line()) !== '') throw new S3Failure('IncompleteBody', 'a chunk is longer than it states')
  }
  if (trailer !== undefined) options.onTrailer(await readTrailer(input, { trailer, signature, previous }))
  // Some clients end with two line ends, some with one.
  while (!(await input.atEnd())) {
    if ((await input.line()) !== '') throw new S3Failure('MalformedTrailerError')
  }
}

async function readTrailer(
  input: LineReader,
  options: { trailer: string; signature: Signature | undefined; previous: string },
): Promise<string> {
  const { trailer, signature, previous } = options
  const [name, value] = splitHeader(await input.line())
  if (name !== trailer) throw new S3Failure('MalformedTrailerError')
  if (signature !== undefined) {
    const [signatureName, given] = splitHeader(await input.line())
    const digest = sha256Hex(`${name}:${value}\n`)
    const expected = signLinked(signature, 'AWS4-HMAC-SHA256-TRAILER', [previous, digest])
    if (signatureName !== 'x-amz-trailer-signature') throw new S3Failure('MalformedTrailerError')
    if (given !== expected) throw new S3Failure('SignatureDoesNotMatch')
  }
  return value
}

function splitHeader(line: string): [name: string, value: string] {
  const match = /^([^:\s]+):\s*(\S+)\s*$/.exec(line)
  if (match === null) throw new S3Failure('MalformedTrailerError')
  return [match[1]!.toLowerCase(), match[2]!]
}

function signLinked(signature: Signature, algorithm: string, lines: readonly string[]): string {
  return signature.sign([algorithm, signature.amzDate, signature.scope, ...lines].join('\n'))
}

/** Reads lines that end with CR LF, and counted bytes, from one stream. */
class LineReader {
  readonly #pieces: AsyncIterator<Buffer>
  #held: Buffer = Buffer.alloc(0)

  constructor(body: AsyncIterable<Buffer>) {
    this.#pieces = body[Symbol.asyncIterator]()
  }

  async atEnd(): Promise<boolean> {
    return this.#held.length === 0 && !(await this.#more())
  }

  async line(): Promise<string> {
    for (;;) {
      const end = this.#held.indexOf('\r\n')
      if (end >= 0) {
        const line = this.#held.toString('latin1', 0, end)
        this.#held = this.#held.subarray(end + 2)
        return line
      }
      if (this.#held.length > MOST_LINE_BYTES) throw new S3Failure('IncompleteBody', 'a line is too long')
      if (!(await this.#more())) throw new S3Failure('IncompleteBody')
    }
  }

  async *bytes(count: number): AsyncGenerator<Buffer> {
    for (let left = count; left > 0; ) {
      if (this.#held.length === 0 && !(await this.#more())) throw new S3Failure('IncompleteBody')
      const piece = this.#held.subarray(0, left)
      this.#held = this.#held.subarray(piece.length)
      left -= piece.length
      yield piece
    }
  }

  /** Lets go of the stream, wherever it is. */
  async close(): Promise<void> {
    await this.#pieces.return?.()
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#pieces.next()
    if (done === true) return false
    this.#held = this.#held.length === 0 ? value : Buffer.concat([this.#held, value])
    return true
  }
}
