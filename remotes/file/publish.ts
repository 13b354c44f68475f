import { createHash } from 'node:crypto'
import { link, lstat, open, rename, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { VarveError } from '../../core/errors.ts'
import type { Key } from '../../core/remote.ts'
import { alreadyExists } from '../already-exists.ts'
import { throwIfAborted } from '../interruption.ts'
import { isMissing, systemCode } from './file-remote-error.ts'

/** A file that is written and fsynced, and where it is to appear. `inode` is of the file at `temporary`. */
export type Publication = {
  key: Key
  label: string
  temporary: string
  inode: bigint
  target: string
  signal: AbortSignal | undefined
}

/** Replaces what is at the target, a link itself and not what it leads to, in one step. */
export async function publishReplacing({ temporary, inode, target }: Publication): Promise<void> {
  try {
    await rename(temporary, target)
  } catch (error) {
    // NFS repeats a request whose answer was lost, and then finds that the old name is gone.
    if (systemCode(error) === 'ENOENT' && (await inodeOf(target)) === inode) return
    throw error
  }
}

/** @throws ALREADY_EXISTS when there is something at the target. Of many writers one wins. */
export async function publishIfAbsent(publication: Publication): Promise<void> {
  const { key, label, temporary, inode, target } = publication
  try {
    // `rename` would replace; `link` fails where the name exists, on NFS too.
    await link(temporary, target)
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST') {
      // A repeated request again: the name that is in the way may be the one that we made.
      if ((await inodeOf(target)) === inode) return
      throw alreadyExists(key, label)
    }
    if (!NO_LINKS.has(code ?? '')) throw error
    await publishUnderClaim(publication)
  }
}

/** What filesystems without hard links answer: exFAT, FAT, some network and user-space ones. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

const CLAIM_WAIT_MS = 25
const CLAIM_ATTEMPTS = 400

/**
 * Where there are no hard links: a claim file, made only if absent, keeps other writers of this key out
 * for the moment between the look and the rename. A reader never sees the claim, nor an empty value. A
 * writer that is killed in that moment leaves its claim behind, and later writers say which file to remove.
 */
async function publishUnderClaim(publication: Publication): Promise<void> {
  const { key, label, temporary, target } = publication
  const name = createHash('sha256').update(key).digest('hex').slice(0, 32)
  const claim = join(dirname(temporary), `claim-${name}`)
  await takeClaim(claim, publication)
  try {
    if ((await inodeOf(target)) !== undefined) throw alreadyExists(key, label)
    await rename(temporary, target)
  } finally {
    await unlink(claim).catch(() => undefined)
  }
}

async function takeClaim(claim: string, { key, label, target, signal }: Publication): Promise<void> {
  for (let attempt = 0; attempt < CLAIM_ATTEMPTS; attempt++) {
    throwIfAborted(signal, `writing ${key}`)
    try {
      await (await open(claim, 'wx')).close()
      return
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error
    }
    if ((await inodeOf(target)) !== undefined) throw alreadyExists(key, label)
    await sleep(CLAIM_WAIT_MS)
  }
  throw new VarveError('REMOTE_FAILED', `another writer of ${key} holds ${claim}`, {
    hint: 'Remove that file if no other varve command is writing to this folder.',
    retryable: true,
  })
}

async function inodeOf(path: string): Promise<bigint | undefined> {
  try {
    return (await lstat(path, { bigint: true })).ino
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
