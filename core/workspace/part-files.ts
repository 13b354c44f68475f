import { lstatSync, readdirSync, renameSync, truncateSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { type Digest, hexOf } from '../content-id.ts'
import { isRunning } from '../store/temporary-files.ts'
import { createTemporary, type FileToMaterialise } from './materialise-task.ts'
import { TEMPORARY_PREFIX } from './temporary-name.ts'

const PREFIX = `${TEMPORARY_PREFIX}part-`
/** Of smaller files, what there is of one is not worth keeping. */
const LEAST_KEPT_BYTES = 8 << 20

const host = Buffer.from(hostname()).toString('hex').slice(0, 16) || 'host'
let count = 0

/** Whether this is the name of a file whose chunks arrive one by one, over hours if need be. */
export function isPartName(name: string): boolean {
  return name.startsWith(PREFIX)
}

/** Whether a process of this machine may be writing to it. */
export function isPartInUse(name: string): boolean {
  const [, owner, pid] = name.slice(PREFIX.length).split('-')
  return owner === host && isRunning(Number(pid))
}

/** Whether what there is of an unfinished file is of use to a later run. */
export function isWorthKeeping({ sizeBytes }: { sizeBytes: number }): boolean {
  return sizeBytes >= LEAST_KEPT_BYTES
}

/** Files that are written beside their place chunk by chunk. Their names tell of which content, and whose they are. */
export class PartFiles {
  /** What earlier runs left in a folder. */
  readonly #abandoned = new Map<string, string[]>()

  /** A new one, empty. */
  create(file: FileToBegin): string {
    return createTemporary(file, partName(file))
  }

  /** What a run that has ended left of this content beside the file's place. What it holds is not known. */
  adopt(file: FileToMaterialise): string | undefined {
    if (!isWorthKeeping(file)) return undefined
    const folder = dirname(file.path)
    const left = this.#abandonedIn(folder)
    const found = left.find((name) => contentOf(name) === contentName(file))
    if (found === undefined) return undefined
    left.splice(left.indexOf(found), 1)
    const path = join(folder, partName(file))
    try {
      const stats = lstatSync(join(folder, found))
      if (!stats.isFile()) return undefined
      renameSync(join(folder, found), path)
      if (stats.size > file.sizeBytes) truncateSync(path, file.sizeBytes)
      return path
    } catch {
      // Another run took it first.
      return undefined
    }
  }

  #abandonedIn(folder: string): string[] {
    const known = this.#abandoned.get(folder)
    if (known !== undefined) return known
    const names = listOf(folder).filter((name) => isPartName(name) && isAbandoned(name))
    this.#abandoned.set(folder, names)
    return names
  }
}

function listOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

type Content = { digest: Digest; executable: boolean }
type FileToBegin = Content & { path: string; label: string }

function partName(file: Content): string {
  return `${PREFIX}${contentName(file)}-${host}-${process.pid}-${(count++).toString(36)}`
}

function contentName({ digest, executable }: Content): string {
  return `${hexOf(digest).slice(0, 32)}${executable ? 'x' : ''}`
}

function contentOf(name: string): string | undefined {
  return name.slice(PREFIX.length).split('-')[0]
}

function isAbandoned(name: string): boolean {
  const [, owner, pid] = name.slice(PREFIX.length).split('-')
  return owner === host && !isRunning(Number(pid))
}
