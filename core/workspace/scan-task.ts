import { join, posix } from 'node:path'
import type { Task } from '../workers/workers.ts'
import { IgnoreRules } from './ignore-rules.ts'
import { type KnownListing, knownListing } from './known-listing.ts'
import { type DirectoryListing, listDirectory } from './list-directory.ts'
import { StatCache } from './stat-cache.ts'

/** One directory, by its path relative to the root. Without a listing it is gone. */
export type ScannedPlace = {
  path: string
  listing: DirectoryListing | undefined
  known: KnownListing | undefined
  /** How many files would have to be read to know it. */
  unknownFiles: number
}

export type ScanInput = {
  root: string
  /** The directory, relative to the root, that all others lie in. */
  top: string
  cacheFolder: string
}

/** Scans directories one at a time. It only reads the stat cache. */
export class PlaceScanner {
  readonly #root: string
  readonly #top: string
  readonly #cache: StatCache
  readonly #rules = new Map<string, IgnoreRules>()

  constructor(options: { root: string; top: string; cache: StatCache }) {
    this.#root = options.root
    this.#top = options.top
    this.#cache = options.cache
  }

  /** `path` is relative to the root. @throws what `listDirectory` throws */
  scan(path: string): ScannedPlace {
    const absolute = join(this.#root, path)
    const listing = listDirectory({ path: absolute, label: path, rules: () => this.#rulesOf(path) })
    if (listing === undefined) return { path, listing, known: undefined, unknownFiles: 0 }
    return { path, listing, ...knownListing(listing, () => this.#cache.lookup(path)) }
  }

  #rulesOf(path: string): IgnoreRules {
    let rules = this.#rules.get(path)
    if (rules === undefined) {
      const absolute = join(this.#root, path)
      rules =
        path === this.#top
          ? IgnoreRules.load(this.#root, absolute)
          : this.#rulesOf(posix.dirname(path)).enter(posix.basename(path), absolute)
      this.#rules.set(path, rules)
    }
    return rules
  }
}

/** More directories, please; these are done. The answer is `undefined` when there are no more. */
export type ScanQuestion = { done: ScannedPlace[] }

/** Scans directories, which are handed out as they are found. */
export const scanTask: Task<ScanInput, ScanQuestion, string[] | undefined, void> = {
  name: 'scan',
  async run({ root, top, cacheFolder }, ask) {
    const cache = StatCache.open(cacheFolder)
    try {
      const scanner = new PlaceScanner({ root, top, cache })
      let done: ScannedPlace[] = []
      for (;;) {
        const transfer = done.flatMap(({ listing }) => (listing === undefined ? [] : [listing.stamps.buffer]))
        const paths = await ask({ done }, transfer)
        if (paths === undefined) return
        done = paths.map((path) => scanner.scan(path))
      }
    } finally {
      cache.close()
    }
  },
}
