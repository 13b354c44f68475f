import { randomBytes } from 'node:crypto'
import { lstatSync, readdirSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { makeFolder } from './durable.ts'

/** After this, a temporary file of another host is a crashed process's. */
const FOREIGN_AGE_MS = 7 * 24 * 3600 * 1000

const host = Buffer.from(hostname()).toString('hex').slice(0, 40) || 'host'

/** A new name in the store's folder for unfinished files; it tells whose it is. */
export function temporaryPath(folder: string): string {
  makeFolder(folder)
  return join(folder, `${host}-${process.pid}-${randomBytes(8).toString('hex')}`)
}

/** Removes what processes that are gone left unfinished. */
export function sweepTemporaries(folder: string): void {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch {
    return
  }
  for (const name of names) {
    const [owner, pid] = name.split('-')
    if (owner === host && isRunning(Number(pid))) continue
    const path = join(folder, name)
    try {
      const age = Date.now() - lstatSync(path).mtimeMs
      if (owner === host || age > FOREIGN_AGE_MS) rmSync(path, { force: true, recursive: true })
    } catch {
      // Another process swept it first.
    }
  }
}

/** Whether this host has such a process. */
export function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
