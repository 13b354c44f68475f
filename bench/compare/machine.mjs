import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'

/** What figures depend on, in one line that names no machine. */
export function describeMachine(folder) {
  const memoryGiB = Math.round(os.totalmem() / 2 ** 30)
  const [major, minor] = os.release().split('.')
  return `${os.cpus().length} cores, ${memoryGiB} GiB of memory, ${filesystemOf(folder)}, ${os.type()} ${major}.${minor}, Node ${process.versions.node}`
}

/** Throws where a case would fill the disk. */
export function requireSpace(folder, neededBytes) {
  const { bavail, bsize } = fs.statfsSync(folder)
  const freeBytes = bavail * bsize
  if (freeBytes >= neededBytes) return
  const inGB = (bytes) => (bytes / 1e9).toFixed(0)
  throw new Error(`${folder} has ${inGB(freeBytes)} GB free and this takes ${inGB(neededBytes)} GB`)
}

function filesystemOf(folder) {
  return execFileSync('df', ['--output=fstype', folder], { encoding: 'utf8' }).split('\n')[1].trim()
}
