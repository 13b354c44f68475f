import { close, fdatasync, open } from 'node:fs'

/** How much is written to a file before the disk is asked to begin. */
export const WRITEBACK_BYTES = 16 << 20

/**
 * Lets the disk begin with what was written to a file so far, while more is being made: the fsync at the end is then
 * short. It tells of no failure, and takes none away from that fsync, which has a descriptor of its own.
 */
export function startWriteback(path: string): void {
  open(path, 'r', (error, fd) => {
    if (error === null) fdatasync(fd, () => close(fd, () => {}))
  })
}
