import { posix } from 'node:path'
import type { SftpChannel } from './sftp-channel.ts'

/** No writer is silent for so long: each piece that it writes renews the time of its file. */
const LEFTOVER_AGE_SECONDS = 7 * 24 * 3600

/**
 * Removes what writers that were killed left in `folder` a week ago or longer, seen from `nowSeconds` by the
 * clock of the server. Housekeeping only: what cannot be removed stays.
 */
export async function sweepServerLeftovers(
  channel: SftpChannel,
  folder: string,
  nowSeconds: number,
): Promise<void> {
  const leftovers = (await channel.readdir(folder)).filter(
    ({ attrs }) => attrs.isFile() && nowSeconds - attrs.mtime >= LEFTOVER_AGE_SECONDS,
  )
  // One swept by another writer first, or that belongs to someone else, is no error.
  await Promise.allSettled(leftovers.map(({ filename }) => channel.unlink(posix.join(folder, filename))))
}
