import { lstatSync } from 'node:fs'
import { basename } from 'node:path'
import { fromSystemError, VarveError } from '../errors.ts'
import type { IgnoreRules } from './ignore-rules.ts'
import type { KnownListing } from './known-listing.ts'
import {
  type DirectoryListing,
  filesOf,
  listDirectory,
  type ScannedFile,
  type ScannedLink,
} from './list-directory.ts'

/** Each list is sorted by the UTF-8 bytes of the names. */
export class ScannedDirectory {
  readonly kind = 'dir'
  readonly name: string
  readonly links: readonly ScannedLink[]
  readonly directories: readonly ScannedDirectory[]
  /** What it holds in all, where stamps alone can tell and were asked. */
  readonly known: KnownListing | undefined
  readonly #listing: DirectoryListing

  constructor(parts: {
    name: string
    listing: DirectoryListing
    directories: readonly ScannedDirectory[]
    known: KnownListing | undefined
  }) {
    this.name = parts.name
    this.links = parts.listing.links
    this.directories = parts.directories
    this.known = parts.known
    this.#listing = parts.listing
  }

  files(): Iterable<ScannedFile> {
    return filesOf(this.#listing)
  }
}

/** `leftovers` are absolute paths of Varve's own temporary files, for the caller to remove. */
export type ScanResult = ScannedDirectory & { leftovers: string[] }

export type ScanOptions = {
  /** Absolute. */
  path: string
  /** The same relative to the repository, slash-separated, for messages. */
  label: string
  /** The rules for the entries of `path`. */
  ignore: IgnoreRules
  /** Told how many files were found so far, now and then. */
  onProgress?: ((files: number) => void) | undefined
}

const PROGRESS_EVERY = 1000

/**
 * Lists what a directory holds, with all below it, without reading a file or following a link. Empty directories count.
 * @throws NOT_FOUND, and what `listDirectory` throws
 */
export function scanDirectory(options: ScanOptions): ScanResult {
  const { path, label, ignore, onProgress } = options
  const leftovers: string[] = []
  let fileCount = 0
  const onFile = () => {
    if (++fileCount % PROGRESS_EVERY === 0) onProgress?.(fileCount)
  }
  const scan = (path: string, label: string, enter: () => IgnoreRules): ScannedDirectory | undefined => {
    const rules = once(enter)
    const listing = listDirectory({ path, label, rules, onFile })
    if (listing === undefined) return undefined
    for (const leftover of listing.leftovers) leftovers.push(leftover)
    const directories = listing.directories.flatMap((name) => {
      const childPath = `${path}/${name}`
      return scan(childPath, `${label}/${name}`, () => rules().enter(name, childPath)) ?? []
    })
    return new ScannedDirectory({ name: basename(path), listing, directories, known: undefined })
  }
  const directory = isDirectory(path, label) ? scan(path, label, () => ignore) : undefined
  if (directory === undefined) throw new VarveError('NOT_FOUND', `no such directory: ${label}`)
  onProgress?.(fileCount)
  return Object.assign(directory, { leftovers })
}

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}

/** A link to a directory is none. */
function isDirectory(path: string, label: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return false
    throw fromSystemError(error, `looking at ${label}`)
  }
}
