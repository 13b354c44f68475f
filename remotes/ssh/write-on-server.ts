import { randomBytes } from 'node:crypto'
import { posix } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Key, Source } from '../../core/remote.ts'
import { alreadyExists } from '../already-exists.ts'
import { throwIfAborted } from '../interruption.ts'
import { sourceBytes } from '../source-bytes.ts'
import { exists, publishIfAbsent, publishReplacing } from './publish-on-server.ts'
import type { ServerFolders } from './server-folders.ts'
import { explainFailure } from './server-room.ts'
import type { SftpChannel } from './sftp-channel.ts'
import { sweepServerLeftovers } from './sweep-server-leftovers.ts'
import { untilAborted } from './until-aborted.ts'
import { writeServerFile } from './write-value.ts'

/**
 * Where values are written before they appear. One folder at the top, and not beside each target: what
 * killed writers leave lies in one place, is no key, and the folders that are listed stay clean.
 */
const TEMPORARY_FOLDER = '.varve-tmp'

/** The first object of a remote: who writes it makes the remote, and may make its folder. */
const FIRST_KEY = 'varve.json'

const CLEAN_UP_MS = 1000

/** What outlives one write. */
export type ServerTree = { root: string; label: string; folders: ServerFolders; hasSwept: boolean }

export type ServerWrite = {
  channel: SftpChannel
  tree: ServerTree
  key: Key
  source: Source
  ifAbsent: boolean
  signal: AbortSignal | undefined
}

/** Writes a value beside the others, then lets it appear in one step. */
export async function writeOnServer(options: ServerWrite): Promise<void> {
  const { channel, tree, key, ifAbsent, signal } = options
  const { root, label, folders } = tree
  const doing = `writing ${key}`
  const target = posix.join(root, key)
  const temporary = posix.join(root, TEMPORARY_FOLDER, randomBytes(16).toString('hex'))
  throwIfAborted(signal, doing)
  if (ifAbsent && (await untilAborted(exists(channel, target), signal, doing)))
    throw alreadyExists(key, label)
  try {
    await untilAborted(prepare(options), signal, doing)
    await untilAborted(upload(options, temporary), signal, doing)
    await untilAborted(folders.ensure(channel, posix.dirname(key)), signal, doing)
    const publish = ifAbsent ? publishIfAbsent : publishReplacing
    await publish({ channel, key, label, temporary, target, signal })
    if (ifAbsent) await channel.unlink(temporary).catch(() => undefined)
  } catch (error) {
    const explained = await explainFailure(error, { channel, folder: root, doing })
    await cleanUp(channel, temporary)
    throw explained
  }
}

async function prepare({ channel, tree, key }: ServerWrite): Promise<void> {
  await tree.folders.ensureRoot(channel, { mayCreate: key === FIRST_KEY })
  await tree.folders.ensure(channel, TEMPORARY_FOLDER)
}

async function upload({ channel, tree, key, source, signal }: ServerWrite, temporary: string): Promise<void> {
  const stats = await writeServerFile(channel, temporary, {
    bytes: sourceBytes(key, source, signal),
    sizeBytes: source.sizeBytes,
  })
  if (tree.hasSwept) return
  tree.hasSwept = true
  await sweepServerLeftovers(channel, posix.dirname(temporary), stats.mtime)
}

/** A server that does not answer must not hold back the error; what stays is swept later. */
async function cleanUp(channel: SftpChannel, temporary: string): Promise<void> {
  const removed = channel.unlink(temporary).catch(() => undefined)
  await Promise.race([removed, sleep(CLEAN_UP_MS, undefined, { ref: false })])
}
