import { VarveError } from '../../core/errors.ts'
import type { Key } from '../../core/remote.ts'
import { isKey } from '../check-key.ts'

/** `docs/formats/published.md` */
export type Published = {
  /** Each ends with a slash. All that lies under one of them is listed. */
  prefixes: string[]
  /** With sizes in bytes. */
  keys: [key: Key, sizeBytes: number][]
}

const VERSION = 1

/** @throws MALFORMED; TOO_NEW; HOSTILE for a name that is no key. `where` names the file. */
export function parsePublished(bytes: Buffer, where: string): Published {
  const malformed = (what: string) =>
    new VarveError('MALFORMED', `${where}: ${what}`, {
      hint: 'Check that the URL is that of a varve remote; if it is, push to the folder itself once.',
    })
  const body = parseObject(bytes)
  if (body === undefined) throw malformed('not what varve writes')
  const { varve, prefixes, keys } = body
  if (varve !== VERSION) {
    if (typeof varve !== 'number') throw malformed('not what varve writes')
    throw new VarveError('TOO_NEW', `${where}: version ${varve} of the format`, {
      hint: 'Upgrade varve to read this remote.',
    })
  }
  if (!Array.isArray(prefixes) || !prefixes.every(isPrefix))
    throw malformed('`prefixes` is no list of prefixes')
  if (!Array.isArray(keys)) throw malformed('`keys` is no list')
  let before = ''
  for (const item of keys as unknown[]) {
    const [key, sizeBytes] = Array.isArray(item) ? (item as unknown[]) : []
    if (typeof key !== 'string' || !isSize(sizeBytes))
      throw malformed('`keys` has something else than names and sizes')
    if (!isKey(key) || !prefixes.some((prefix) => key.startsWith(prefix))) {
      throw new VarveError(
        'HOSTILE',
        `${where}: not a key of a remote: ${JSON.stringify(key.slice(0, 120))}`,
        {
          hint: 'Do not use this remote until you know who wrote that name.',
        },
      )
    }
    if (key <= before) throw malformed('`keys` is not sorted')
    before = key
  }
  return { prefixes, keys: keys as Published['keys'] }
}

function parseObject(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const body: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function isPrefix(value: unknown): value is string {
  return typeof value === 'string' && value.endsWith('/') && isKey(value.slice(0, -1))
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
