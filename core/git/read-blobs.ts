import { VarveError } from '../errors.ts'
import { type GitObjectId, toGitObjectId } from './object-id.ts'
import type { Repository } from './repository.ts'
import { streamGit } from './stream-git.ts'

/** A pointer is some hundred bytes; what is larger than this is none. */
export const POINTER_LIMIT_BYTES = 1024 * 1024

/** `bytes` is undefined where `sizeBytes` exceeds POINTER_LIMIT_BYTES: such a blob is never held in memory. */
export type GitBlob = { blobSha: GitObjectId; sizeBytes: number; bytes: Buffer | undefined }

const IDS_PER_WRITE = 256
const LONGEST_HEADER_BYTES = 256

/**
 * Reads blobs in the order asked for, through one process.
 *
 * @throws NOT_FOUND for an id that git does not have, MALFORMED for one that is no blob.
 */
export async function* readBlobs(
  repository: Repository,
  blobShas: Iterable<GitObjectId>,
): AsyncGenerator<GitBlob> {
  const output = streamGit(repository.root, ['cat-file', '--batch', '--buffer'], { input: lines(blobShas) })
  const reader = new PieceReader(output)
  try {
    for (let header = await reader.line(); header !== undefined; header = await reader.line()) {
      // OBJECT SP TYPE SP SIZE, or OBJECT SP "missing"
      const [id, type, size] = header.split(' ')
      if (type === 'missing') throw new VarveError('NOT_FOUND', `git has no object ${id}`)
      if (type !== 'blob') throw new VarveError('MALFORMED', `git object ${id} is a ${type}, not a blob`)
      const sizeBytes = Number(size)
      const fits = sizeBytes <= POINTER_LIMIT_BYTES
      const bytes = fits ? await reader.take(sizeBytes) : undefined
      await reader.skip(fits ? 1 : sizeBytes + 1)
      yield { blobSha: toGitObjectId(id!), sizeBytes, bytes }
    }
  } finally {
    await output.return(undefined)
  }
}

function* lines(blobShas: Iterable<GitObjectId>): Generator<string> {
  let batch: string[] = []
  for (const blobSha of blobShas) {
    batch.push(`${blobSha}\n`)
    if (batch.length < IDS_PER_WRITE) continue
    yield batch.join('')
    batch = []
  }
  if (batch.length > 0) yield batch.join('')
}

/** Takes lines and counted bytes off a stream of pieces. */
class PieceReader {
  readonly #source: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** The next line without its end; undefined at the end of the stream. */
  async line(): Promise<string | undefined> {
    let end = this.#rest.indexOf('\n')
    while (end === -1) {
      if (this.#rest.length > LONGEST_HEADER_BYTES) throw new Error('git cat-file printed no header')
      if (!(await this.#more())) return undefined
      end = this.#rest.indexOf('\n')
    }
    const line = this.#rest.toString('utf8', 0, end)
    this.#rest = this.#rest.subarray(end + 1)
    return line
  }

  async take(count: number): Promise<Buffer> {
    while (this.#rest.length < count) await this.#mustHaveMore()
    const taken = Buffer.from(this.#rest.subarray(0, count))
    this.#rest = this.#rest.subarray(count)
    return taken
  }

  async skip(count: number): Promise<void> {
    let left = count
    while (this.#rest.length < left) {
      left -= this.#rest.length
      this.#rest = Buffer.alloc(0)
      await this.#mustHaveMore()
    }
    this.#rest = this.#rest.subarray(left)
  }

  async #mustHaveMore(): Promise<void> {
    if (!(await this.#more())) throw new VarveError('IO', 'git cat-file: its output was cut short')
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next()
    if (next.done === true) return false
    this.#rest = this.#rest.length === 0 ? next.value : Buffer.concat([this.#rest, next.value])
    return true
  }
}
