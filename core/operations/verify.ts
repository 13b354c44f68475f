import { digestFromContentId, parseContentId } from '../content-id.ts'
import { ENTRY_KINDS, type PackName } from '../format/pack.ts'
import type { SegmentName } from '../format/segment.ts'
import { checkIndex, type IndexCheck } from '../store/check-index.ts'
import { listStoredFiles, type StoredFiles } from '../store/list-stored-files.ts'
import { type BadPacks, LostEntries } from '../store/lost-entries.ts'
import { type RebuiltIndex, rebuildIndex } from '../store/rebuild-index.ts'
import { type VerifiedPack, verifyTask } from '../store/verify-task.ts'
import { throwIfAborted } from '../workers/workers.ts'
import { type AffectedVersion, affectedVersions } from './affected-versions.ts'
import type { Workbench } from './workbench.ts'

export type VerifyOptions = {
  /** Decompress every entry and hash it, beyond the checksums of what is stored. */
  full: boolean
  rebuildIndex: boolean
}

export type StoreProblem =
  | { kind: 'damaged-segment'; segment: SegmentName; message: string; isRepaired: boolean }
  | { kind: 'missing-pack'; pack: PackName; message: string; isSuperseded: boolean }
  /** `damagedEntries` is undefined where nothing of the pack can be read. */
  | {
      kind: 'damaged-pack'
      pack: PackName
      message: string
      damagedEntries: number | undefined
      /** The index points to nothing that is damaged, or no longer does and has all of it elsewhere. */
      isSuperseded: boolean
    }

export type VerifyResult = {
  store: string
  full: boolean
  segments: number
  packs: number
  entries: number
  bytes: number
  problems: StoreProblem[]
  /** The versions that need what is damaged or gone; undefined where a damaged index hides that. */
  affected: AffectedVersion[] | undefined
  /** Good ones that are in no segment: a crash came between the two. Nothing of them can be read. */
  orphanPacks: PackName[]
  leftovers: { files: number; bytes: number }
  rebuilt: RebuiltIndex | undefined
}

/** Starting threads does not pay below this. */
const LIGHT_BYTES = 4 << 20

/**
 * Checks the store: every index segment, every pack, and that each has the other. Problems are the result, not errors.
 * @throws TOO_NEW for a segment of a later format, INTERRUPTED
 */
export async function verify(workbench: Workbench, options: VerifyOptions): Promise<VerifyResult> {
  const root = workbench.project.storeFolder
  const files = listStoredFiles(root)
  const index = checkIndex(root, files.segments)
  const verified = await verifyPacks(workbench, root, { files, full: options.full })

  const present = new Set(files.packs.map(({ name }) => name))
  const missing = [...index.packs].filter((pack) => !present.has(pack))
  const bad = badPacks(verified, missing)
  const isIndexWhole = index.damaged.length === 0
  // What a whole index does not point to is not lost: it was left out before, or never taken in.
  const needed = isIndexWhole ? indexedOf(workbench, bad, index) : bad
  let lost: LostEntries | undefined
  let affected: AffectedVersion[] | undefined
  let rebuilt: RebuiltIndex | undefined
  const findLost = async () => {
    if (needed.whole.size === 0 && needed.entries.length === 0) {
      affected = []
      return
    }
    lost = new LostEntries(workbench.store, needed, index.live)
    affected = lost.count === 0 ? [] : await affectedVersions(workbench, lost)
  }
  // A whole index knows more than one made anew: what was in the packs that are gone.
  if (isIndexWhole) await findLost()
  if (options.rebuildIndex) rebuilt = rebuildIndex(root, bad)
  if (!isIndexWhole && rebuilt !== undefined) await findLost()
  const isForgotten = (pack: PackName) => rebuilt !== undefined && lost?.packs.has(pack) === false
  const isNeeded = (pack: PackName) =>
    needed.whole.has(pack) || needed.entries.some((entry) => entry.pack === pack)
  const isSuperseded = (pack: PackName) => !isNeeded(pack) || isForgotten(pack)

  return {
    store: root,
    full: options.full,
    segments: files.segments.length,
    packs: files.packs.length,
    entries: verified.reduce((sum, { entries }) => sum + entries, 0),
    bytes: files.packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    problems: [
      ...index.damaged.map((damage) => segmentProblem(damage, rebuilt)),
      ...missing.map((pack) => missingPack(pack, lost?.packs.has(pack) === false)),
      ...verified.flatMap((one) => packProblem(one, isSuperseded(one.pack))),
    ],
    affected,
    orphanPacks: verified
      .filter(({ pack, problems }) => problems.length === 0 && !index.packs.has(pack))
      .map(({ pack }) => pack)
      .filter((pack) => !index.tombstones.has(pack)),
    leftovers: {
      files: files.leftovers.length,
      bytes: files.leftovers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    },
    rebuilt,
  }
}

/** The problems that are still there. */
export function remainingProblems({ problems }: Pick<VerifyResult, 'problems'>): StoreProblem[] {
  return problems.filter((problem) =>
    problem.kind === 'damaged-segment' ? !problem.isRepaired : !problem.isSuperseded,
  )
}

async function verifyPacks(
  workbench: Workbench,
  root: string,
  { files, full }: { files: StoredFiles; full: boolean },
): Promise<VerifiedPack[]> {
  const { workers, onProgress, signal } = workbench
  const bytesTotal = files.packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  const sizes = new Map(files.packs.map(({ name, sizeBytes }) => [name, sizeBytes]))
  const waiting = files.packs.map(({ name }) => name)
  const verified: VerifiedPack[] = []
  let bytesDone = 0
  const answer = ({ done }: { done: VerifiedPack[] }) => {
    throwIfAborted(signal)
    verified.push(...done)
    for (const { pack } of done) bytesDone += sizes.get(pack) ?? 0
    onProgress?.({ phase: 'verifying packs', bytesDone, bytesTotal })
    const next = waiting.shift()
    return next === undefined ? undefined : [next]
  }
  const threads = bytesTotal < LIGHT_BYTES ? 0 : workers.threads
  await workers.run(verifyTask, { root, full }, answer, { threads })
  return verified
}

function badPacks(verified: readonly VerifiedPack[], missing: readonly PackName[]): BadPacks {
  const unreadable = verified.filter(isUnreadable).map(({ pack }) => pack)
  const entries = verified.flatMap(({ problems }) =>
    problems.flatMap(({ pack, kind, id }) => {
      const known = ENTRY_KINDS.find((one) => one === kind)
      if (known === undefined || id === undefined) return []
      return [{ pack, kind: known, digest: digestFromContentId(parseContentId(id)) }]
    }),
  )
  return { whole: new Set([...missing, ...unreadable]), entries }
}

function indexedOf({ store }: Workbench, bad: BadPacks, { packs }: IndexCheck): BadPacks {
  return {
    whole: new Set([...bad.whole].filter((pack) => packs.has(pack))),
    entries: bad.entries.filter(({ pack, kind, digest }) =>
      [...store.index.findAll(kind, digest)].some((location) => location.pack === pack),
    ),
  }
}

function isUnreadable({ problems }: VerifiedPack): boolean {
  return problems.some(({ id }) => id === undefined)
}

function segmentProblem(
  damage: IndexCheck['damaged'][number],
  rebuilt: RebuiltIndex | undefined,
): StoreProblem {
  return {
    kind: 'damaged-segment',
    ...damage,
    isRepaired: rebuilt?.removed.includes(damage.segment) ?? false,
  }
}

function missingPack(pack: PackName, isSuperseded: boolean): StoreProblem {
  return { kind: 'missing-pack', pack, message: `pack ${pack} is gone`, isSuperseded }
}

function packProblem(verified: VerifiedPack, isSuperseded: boolean): StoreProblem[] {
  const { pack, problems, entries } = verified
  const [first] = problems
  if (first === undefined) return []
  if (isUnreadable(verified)) {
    const { message } = problems.find(({ id }) => id === undefined)!
    return [{ kind: 'damaged-pack', pack, message, damagedEntries: undefined, isSuperseded }]
  }
  const message = `pack ${pack}: ${problems.length} of its ${entries} entries are damaged`
  return [{ kind: 'damaged-pack', pack, message, damagedEntries: problems.length, isSuperseded }]
}
