import { join } from 'node:path'
import { VarveError } from '../errors.ts'
import type { RecipeRoot } from '../format/recipe.ts'
import type { OnProgress } from '../progress.ts'
import type { Location } from '../store/segment-reader.ts'
import type { Store } from '../store/store.ts'
import { throwIfAborted, type Workers } from '../workers/workers.ts'
import { MaterialiseSchedule } from './materialise-schedule.ts'
import { type FileToMaterialise, materialiseTask } from './materialise-task.ts'
import type { FileToWrite } from './plan-checkout.ts'
import type { StatCache } from './stat-cache.ts'
import { threadsFor } from './work-batches.ts'

/**
 * Writes files of a version in worker threads, in the order in which packs hold them. Their directories exist.
 * @throws MISSING_BYTES, before anything is written, when the store lacks some of them.
 */
export async function materialiseFiles(options: {
  root: string
  store: Store
  cache: StatCache
  workers: Workers
  files: readonly FileToWrite[]
  onProgress?: OnProgress | undefined
  signal?: AbortSignal | undefined
}): Promise<void> {
  const { root, store, cache, workers, onProgress, signal } = options
  if (options.files.length === 0) return
  const files = inPackOrder(store, options.files)
  const bytesTotal = files.reduce((sum, { file }) => sum + file.sizeBytes, 0)
  const work = files.map(
    ({ file, location, provenRecipe }, index): FileToMaterialise => ({
      index,
      path: join(root, file.path),
      label: file.path,
      digest: file.digest,
      sizeBytes: file.sizeBytes,
      executable: file.executable,
      replaces: file.replaces,
      location,
      provenRecipe,
    }),
  )
  let filesDone = 0
  let bytesDone = 0
  const report = () =>
    onProgress?.({ phase: 'checking out', filesDone, filesTotal: work.length, bytesDone, bytesTotal })
  const schedule = new MaterialiseSchedule({
    store,
    files: work,
    onFile({ index, stamp }) {
      const { file } = files[index]!
      cache.record(file.path, stamp, file.digest)
      filesDone++
      report()
    },
    onBytes(count) {
      bytesDone += count
      report()
    },
  })
  try {
    await workers.run(
      materialiseTask,
      { root: store.root },
      ({ result }, thread) => {
        throwIfAborted(signal)
        return schedule.next(thread, result)
      },
      { threads: threadsFor({ files: work.length, bytes: bytesTotal }, workers.threads) },
    )
  } finally {
    schedule.discard()
  }
}

type Placed = { file: FileToWrite; location: Location | undefined; provenRecipe: RecipeRoot | undefined }

function inPackOrder(store: Store, files: readonly FileToWrite[]): Placed[] {
  const missing: string[] = []
  const placed = files.map((file) => {
    const location = store.index.find('chunk', file.digest)
    const isKnown = location !== undefined || store.index.has('recipe', file.digest)
    if (!isKnown) missing.push(file.path)
    return {
      file,
      location,
      provenRecipe: location === undefined ? store.ownRecipeOf(file.digest) : undefined,
    }
  })
  if (missing.length > 0) throw missingBytes(missing)
  return placed.sort((a, b) => compareLocations(a.location, b.location))
}

/** Files of several chunks come last: they say themselves where to read. */
function compareLocations(a: Location | undefined, b: Location | undefined): number {
  if (a === undefined || b === undefined) return (a === undefined ? 1 : 0) - (b === undefined ? 1 : 0)
  if (a.pack !== b.pack) return a.pack < b.pack ? -1 : 1
  return a.offset - b.offset
}

function missingBytes(paths: readonly string[]): VarveError {
  const more = paths.length > 1 ? ` and ${paths.length - 1} more` : ''
  return new VarveError('MISSING_BYTES', `the bytes of ${paths[0]}${more} are not in the store`, {
    hint: 'Run `varve pull` to fetch them from a remote.',
  })
}
