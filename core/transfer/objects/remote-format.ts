import { CHUNKING_NAME } from '../../chunking/rot256.ts'
import { VarveError } from '../../errors.ts'
import type { Remote } from '../../remote.ts'
import { readWhole } from './read-whole.ts'
import { sourceOf } from './source-of.ts'

/** The object that makes a place a Varve remote; created once, never changed. */
export const FORMAT_KEY = 'varve.json'
const FORMAT_VERSION = 1
export const MAX_FORMAT_BYTES = 64 << 10

/**
 * Makes a place a remote, or checks that it is one this version can write to. Only for a place that this clone has not
 * used before: one that it has, and that is empty now, has been lost or is not mounted.
 * @throws TOO_NEW, MALFORMED, REMOTE_FAILED
 */
export async function ensureRemoteFormat(remote: Remote): Promise<void> {
  const body = JSON.stringify({ version: FORMAT_VERSION, chunking: CHUNKING_NAME, encryption: null })
  try {
    await remote.write(FORMAT_KEY, sourceOf(Buffer.from(`${body}\n`)), { ifAbsent: true })
  } catch (error) {
    if (!(error instanceof VarveError) || error.code !== 'ALREADY_EXISTS') throw error
    await checkRemoteFormat(remote)
  }
}

/**
 * `wasUsed`: this clone has seen the place as a remote before.
 * @throws NOT_FOUND where the place is no Varve remote (or an empty one); TOO_NEW, MALFORMED
 */
export async function checkRemoteFormat(remote: Remote, { wasUsed = false } = {}): Promise<void> {
  let bytes: Buffer
  try {
    bytes = await readWhole(remote, FORMAT_KEY, { mostBytes: MAX_FORMAT_BYTES })
  } catch (error) {
    if (!(error instanceof VarveError) || error.code !== 'NOT_FOUND') throw error
    if (wasUsed) {
      const message = `${remote.label} was a varve remote when this clone last used it, and is empty now`
      const hint =
        'Mount it; if it was emptied on purpose, run `varve remote set NAME url URL` and push again.'
      throw new VarveError('NOT_FOUND', message, { hint, cause: error })
    }
    throw new VarveError('NOT_FOUND', `${remote.label} holds nothing that varve pushed`, {
      hint: 'Check its URL with `varve remote list`, or push to it first.',
      cause: error,
    })
  }
  const { version, chunking, encryption } = parse(bytes, remote.label)
  const isPlain = encryption === null || encryption === undefined
  if (version === FORMAT_VERSION && chunking === CHUNKING_NAME && isPlain) return
  const what = `version ${version}, chunking ${chunking}${isPlain ? '' : ', encrypted'}`
  throw new VarveError('TOO_NEW', `${remote.label}: ${what}`, {
    hint: 'Upgrade varve to use this remote.',
  })
}

function parse(
  bytes: Buffer,
  label: string,
): { version?: unknown; chunking?: unknown; encryption?: unknown } {
  try {
    const body: unknown = JSON.parse(bytes.toString('utf8'))
    if (typeof body === 'object' && body !== null) return body
  } catch {
    // Said below.
  }
  throw new VarveError('MALFORMED', `${label}: ${FORMAT_KEY} is not what varve writes`, {
    hint: 'Check that the URL points to a varve remote and not to something else.',
  })
}
