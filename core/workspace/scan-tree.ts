import { posix } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { throwIfAborted, type Workers } from '../workers/workers.ts'
import { countFiles } from './list-directory.ts'
import { ScannedDirectory, type ScanResult } from './scan-directory.ts'
import { PlaceScanner, type ScannedPlace, scanTask } from './scan-task.ts'
import type { StatCache } from './stat-cache.ts'
import { threadsFor } from './work-batches.ts'

export type ScanTreeOptions = {
  root: string
  /** Of the directory, relative to the root. */
  path: string
  cache: StatCache
  workers: Workers
  /** Told of each directory as it is found, after the one that it lies in. */
  onPlace?: ((place: ScannedPlace) => void) | undefined
  /** Whether threads have other work, and their questions to be answered: then all is looked at in this one. */
  isBusy?: (() => boolean) | undefined
  /** Told how many files were found so far, now and then. */
  onProgress?: ((files: number) => void) | undefined
  signal?: AbortSignal | undefined
  /** What has more files than this is shared out among threads; tests ask for fewer. */
  filesAlone?: number
}

/** They take somewhat longer to look at than threads to start. */
const FILES_ALONE = 20_000
/** What a thread is given at once: much for few messages, little so that none waits for another's last directory. */
const MOST_AT_ONCE = 16
/** So long busy threads wait for an answer. */
const ANSWER_EVERY_MS = 2

/**
 * As `scanDirectory`, and asks the stat cache what each directory holds. Large ones are looked at in threads.
 * Undefined where the directory is gone.
 * @throws what `listDirectory` throws
 */
export async function scanTree(options: ScanTreeOptions): Promise<ScanResult | undefined> {
  const {
    root,
    path,
    cache,
    workers,
    onPlace,
    isBusy,
    onProgress,
    signal,
    filesAlone = FILES_ALONE,
  } = options
  const places = new Map<string, ScannedPlace>()
  const queue = [path]
  let files = 0
  const take = (place: ScannedPlace) => {
    const { listing } = place
    places.set(place.path, place)
    if (listing === undefined) return
    for (const name of listing.directories) queue.push(`${place.path}/${name}`)
    files += countFiles(listing)
    onPlace?.(place)
    onProgress?.(files)
  }

  const scanner = new PlaceScanner({ root, top: path, cache })
  let unknownFiles = 0
  let answeredMs = performance.now()
  while (queue.length > 0 && (places.size === 0 || files < filesAlone || isBusy?.())) {
    throwIfAborted(signal)
    if (isBusy?.() && performance.now() > answeredMs + ANSWER_EVERY_MS) {
      await setImmediate()
      answeredMs = performance.now()
    }
    const place = scanner.scan(queue.pop()!)
    take(place)
    unknownFiles += place.unknownFiles
    // Whoever scans will want these read: threads can start meanwhile.
    workers.start(threadsFor({ files: unknownFiles, bytes: 0 }, workers.threads))
  }

  const waiting: (() => void)[] = []
  let outstanding = 0
  const answer = async ({ done }: { done: ScannedPlace[] }) => {
    throwIfAborted(signal)
    for (const place of done) take(place)
    outstanding -= done.length
    for (const wake of waiting.splice(0)) wake()
    while (queue.length === 0 && outstanding > 0) await new Promise<void>((wake) => waiting.push(wake))
    if (queue.length === 0) return undefined
    const share = Math.ceil(queue.length / (2 * Math.max(1, workers.threads)))
    const paths = queue.splice(-Math.min(MOST_AT_ONCE, share))
    outstanding += paths.length
    return paths
  }
  if (queue.length > 0) {
    const input = { root, top: path, cacheFolder: cache.folder }
    await workers.run(scanTask, input, answer, { threads: workers.threads })
  }

  const top = assemble(places, path)
  const leftovers = [...places.values()].flatMap(({ listing }) => listing?.leftovers ?? [])
  return top && Object.assign(top, { leftovers })
}

function assemble(places: ReadonlyMap<string, ScannedPlace>, path: string): ScannedDirectory | undefined {
  const { listing, known } = places.get(path)!
  if (listing === undefined) return undefined
  const directories = listing.directories.flatMap((name) => assemble(places, `${path}/${name}`) ?? [])
  return new ScannedDirectory({ name: posix.basename(path), listing, directories, known })
}
