import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { makeFolder, syncFolder } from './durable.ts'
import { writeWhole } from './pack-writer.ts'

/** Replaces a small file as a whole: written beside it, fsynced, renamed. */
export function writeFileDurably(path: string, content: string | Uint8Array): void {
  makeFolder(dirname(path))
  const temporary = `${path}.${process.pid}.tmp`
  const fd = openSync(temporary, 'w')
  try {
    writeWhole(fd, Buffer.from(content))
    fsyncSync(fd)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
  syncFolder(dirname(path))
}
