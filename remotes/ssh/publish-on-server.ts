import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { VarveError } from '../../core/errors.ts'
import type { Key } from '../../core/remote.ts'
import { alreadyExists } from '../already-exists.ts'
import { throwIfAborted } from '../interruption.ts'
import { isMissing, SFTP_FAILURE, SFTP_UNSUPPORTED, type SftpChannel, statusOf } from './sftp-channel.ts'

/** A file that is written whole, and where it is to appear. */
export type ServerPublication = {
  channel: SftpChannel
  key: Key
  label: string
  temporary: string
  target: string
  signal: AbortSignal | undefined
}

/**
 * Replaces what is at the target in one step. A server without posix-rename@openssh.com cannot: there a value
 * that is replaced is missing for a moment, and is never seen half.
 */
export async function publishReplacing(publication: ServerPublication): Promise<void> {
  const { channel, temporary, target } = publication
  try {
    await channel.posixRename(temporary, target)
  } catch (error) {
    if (statusOf(error) !== SFTP_UNSUPPORTED) throw error
    await underClaim(publication, async () => {
      const aside = `${temporary}.old`
      const isThere = await exists(channel, target)
      if (isThere) await channel.rename(target, aside)
      await channel.rename(temporary, target)
      if (isThere) await channel.unlink(aside)
    })
  }
}

/** @throws ALREADY_EXISTS when there is something at the target. Of many writers one wins. */
export async function publishIfAbsent(publication: ServerPublication): Promise<void> {
  const { channel, key, label, temporary, target } = publication
  const refuseIfThere = async () => {
    if (await exists(channel, target)) throw alreadyExists(key, label)
  }
  try {
    // Renaming would replace; a second name for the same file cannot.
    await channel.hardLink(temporary, target)
  } catch (error) {
    if (statusOf(error) === undefined || isMissing(error)) throw error
    await refuseIfThere()
    await underClaim(publication, async () => {
      await refuseIfThere()
      await channel.rename(temporary, target)
    })
  }
}

const CLAIM_WAIT_MS = 25
const CLAIM_ATTEMPTS = 400
/** So many failures without a claim in the way have another reason. */
const UNEXPLAINED_ATTEMPTS = 20

/**
 * Where the server or its filesystem cannot do in one step what is needed: a claim file, made only if absent,
 * keeps other writers of this key out. A writer that is killed in that moment leaves its claim behind, and
 * later writers say which file to remove.
 */
async function underClaim(publication: ServerPublication, work: () => Promise<void>): Promise<void> {
  const { channel, key, temporary } = publication
  const name = createHash('sha256').update(key).digest('hex').slice(0, 32)
  const claim = posix.join(posix.dirname(temporary), `claim-${name}`)
  await takeClaim(claim, publication)
  try {
    await work()
  } finally {
    await channel.unlink(claim).catch(() => undefined)
  }
}

async function takeClaim(claim: string, { channel, key, signal }: ServerPublication): Promise<void> {
  let unexplained = 0
  for (let attempt = 0; attempt < CLAIM_ATTEMPTS; attempt++) {
    throwIfAborted(signal, `writing ${key}`)
    try {
      await channel.close(await channel.create(claim))
      return
    } catch (error) {
      if (statusOf(error) !== SFTP_FAILURE) throw error
      // The protocol does not tell that a name exists; and the claim may have gone since.
      if (!(await exists(channel, claim)) && ++unexplained > UNEXPLAINED_ATTEMPTS) throw error
    }
    await sleep(CLAIM_WAIT_MS)
  }
  throw new VarveError('REMOTE_FAILED', `another writer of ${key} holds ${claim} on the server`, {
    hint: 'Remove that file if no other varve command is writing to this remote.',
    retryable: true,
  })
}

export async function exists(channel: SftpChannel, path: string): Promise<boolean> {
  try {
    await channel.lstat(path)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}
