import { closeSync, fsyncSync, mkdirSync, openSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'

/** Makes the entries of a folder survive a power cut. Platforms that cannot open folders are left out. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Makes `folder` and what is missing above it, durably. */
export function makeFolder(folder: string): void {
  const first = mkdirSync(folder, { recursive: true })
  if (first === undefined) return
  for (let made = folder; ; made = dirname(made)) {
    syncFolder(dirname(made))
    if (made === first || dirname(made) === made) return
  }
}

/** Publishes a file that is written and fsynced: it appears under `target` whole, and stays. */
export function publishFile(temporary: string, target: string): void {
  makeFolder(dirname(target))
  renameSync(temporary, target)
  syncFolder(dirname(target))
}
