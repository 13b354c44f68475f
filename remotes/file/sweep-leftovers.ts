import { opendir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'

/** No writer is silent for so long: each piece that it writes renews the time of its file. */
const LEFTOVER_AGE_MS = 7 * 24 * 3600 * 1000

/**
 * Removes what writers that were killed left in `folder` a week ago or longer, seen from `nowMs` by the
 * clock of the filesystem. Housekeeping only: what cannot be removed stays.
 */
export async function sweepLeftovers(folder: string, nowMs: number): Promise<void> {
  const leftovers: string[] = []
  for await (const { name } of await opendir(folder)) leftovers.push(join(folder, name))
  for (const path of leftovers) {
    try {
      if (nowMs - (await stat(path)).mtimeMs >= LEFTOVER_AGE_MS) await unlink(path)
    } catch {
      // Its writer has published it since, another one swept it first, or it belongs to someone else.
    }
  }
}
