import { readSync } from 'node:fs'
import { PAGE_BYTES, verifyPage } from '../format/segment.ts'

/**
 * Fills `target` with whole pages of a segment, from `firstPage` on, and verifies each.
 * @throws CORRUPT for one that is damaged or lies past the end
 */
export function readPages(file: { fd: number; where: string }, firstPage: number, target: Buffer): void {
  for (let done = 0; done < target.length; ) {
    const count = readSync(file.fd, target, done, target.length - done, firstPage * PAGE_BYTES + done)
    if (count === 0) {
      // What the buffer held before might be a good page.
      target.fill(0, done)
      break
    }
    done += count
  }
  for (let at = 0; at < target.length; at += PAGE_BYTES) {
    verifyPage(target.subarray(at, at + PAGE_BYTES), file.where)
  }
}
