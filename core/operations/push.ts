import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { currentHead } from '../git/current-head.ts'
import { readIndexPointers } from '../git/read-index-pointers.ts'
import { userIdentity } from '../git/user-identity.ts'
import { packSizes } from '../transfer/objects/pack-sizes.ts'
import { finishPush } from '../transfer/push/finish-push.ts'
import { publishIfDue } from '../transfer/push/publish-if-due.ts'
import { type PushedBytes, type PushedVersions, pushVersions } from '../transfer/push/push-versions.ts'
import { type RehearsedRequests, rehearse } from '../transfer/push/rehearsal-remote.ts'
import type { RemoteView } from '../transfer/view/remote-view.ts'
import { DEFAULT_JOBS } from './fetch-listings.ts'
import { selectTracked } from './select-tracked.ts'
import { parseTracked, readPointerBlobs } from './tracked.ts'
import {
  historyVersions,
  unique,
  type Version,
  type VersionRange,
  versionsIn,
  versionsOf,
} from './versions-in.ts'
import type { Workbench } from './workbench.ts'

export type PushOptions = VersionRange & {
  remoteName?: string | undefined
  jobs?: number | undefined
  /** Only find out what would be sent. */
  dryRun?: boolean | undefined
}

export type PushResult = PushedBytes & {
  remote: string
  /** Of a dry run: what would be asked of the remote. */
  rehearsed?: RehearsedRequests
  /** What was pushed now, or would be. */
  versions: { path: string; id: string }[]
  /** Versions not asked for by name that are neither here nor there in full: nothing was sent of them. */
  unavailable: { path: string; id: string }[]
  /** Whether the remote had some of the versions that were asked for. */
  hadSome: boolean
}

/**
 * Sends to a remote what it lacks. By default: every version of the branch's commits, of git's index and of the
 * working tree that no completed push has sent there yet. A version that is neither here nor there stops it only if
 * it was asked for by name.
 * @throws NO_REMOTE, MISSING_BYTES, CORRUPT, NOT_TRACKED
 */
export async function push(workbench: Workbench, options: PushOptions): Promise<PushResult> {
  const view = workbench.remote(options.remoteName)
  if (!options.dryRun) return pushThrough(workbench, view, options)
  const { remote, requests } = rehearse(view.remote)
  const rehearsal = view.rehearsal(remote)
  try {
    return { ...(await pushThrough(workbench, rehearsal, options)), rehearsed: requests }
  } finally {
    rehearsal.close()
  }
}

async function pushThrough(
  workbench: Workbench,
  view: RemoteView,
  options: PushOptions,
): Promise<PushResult> {
  const { store, onProgress, signal, project } = workbench
  await view.prepare()
  await view.refreshRecords(signal)
  const { versions, hadSome, onMissing, commits } = await chooseVersions(workbench, view, options)
  let pushed: PushedVersions = { packs: 0, bytes: 0, unavailable: [] }
  if (versions.length > 0) {
    const [identity] = await Promise.all([userIdentity(project.repository), view.refreshIndex(signal)])
    pushed = await pushVersions({
      store,
      view,
      versions,
      onMissing,
      repositoryId: project.config.repositoryId,
      who: identity === undefined ? '' : `${identity.name} <${identity.email}>`,
      commits,
      jobs: options.jobs ?? DEFAULT_JOBS,
      isRehearsal: options.dryRun,
      onProgress,
      signal,
    })
  } else {
    await finishPush(view, { isRehearsal: options.dryRun, signal })
    await publishIfDue(view, { isRehearsal: options.dryRun, signal })
  }
  const { packs, bytes, unavailable } = pushed
  const leftOut = new Set(unavailable)
  return {
    remote: view.remote.label,
    versions: versions.filter((version) => !leftOut.has(version)).map(nameOf),
    unavailable: unavailable.map(nameOf),
    hadSome,
    packs,
    bytes,
  }
}

function nameOf({ path, id }: Version): { path: string; id: string } {
  return { path, id }
}

type Choice = {
  versions: Version[]
  /** Whether there were others, which the remote has. */
  hadSome: boolean
  /** Versions that were not asked for one by one may have been dropped here, or be another's to push. */
  onMissing: 'refuse' | 'leave-out'
  commits: string[]
}

async function chooseVersions(workbench: Workbench, view: RemoteView, options: PushOptions): Promise<Choice> {
  const { paths, revision, all } = options
  const isNamed = paths.length > 0 || revision !== undefined || all
  if (isNamed) {
    const isOld = all || revision?.includes('..')
    const asked = await versionsIn(workbench, options)
    const versions = await withoutIntact(view, asked)
    const hadSome = versions.length < asked.length
    return { versions, hadSome, onMissing: isOld ? 'leave-out' : 'refuse', commits: [] }
  }
  const pushedCommits = [...view.records.values()].flatMap(({ commits }) => commits)
  const [head, ...found] = await Promise.all([
    currentHead(workbench.project.repository),
    historyVersions(workbench, { include: ['HEAD'], exclude: pushedCommits }),
    versionsIn(workbench, { paths: [] }),
    indexVersions(workbench),
  ])
  const asked = unique(found.flat())
  const versions = asked.filter((version) => !isRecorded(view, version))
  return {
    versions,
    hadSome: versions.length < asked.length,
    onMissing: 'leave-out',
    // Only a push that saw all of this history lets the next one skip it.
    commits: head !== undefined && !isShallow(workbench) ? [head] : [],
  }
}

/** A shallow clone does not see what lies before its oldest commits. */
function isShallow(workbench: Workbench): boolean {
  return existsSync(join(workbench.project.repository.commonDir, 'shallow'))
}

function isRecorded(view: RemoteView, { id, only }: Version): boolean {
  return view.holderOf(id, only) !== undefined
}

/**
 * Leaves out what is on the remote. For versions that were asked for by name a record is not enough, their packs are
 * looked at: so a remote that has lost one is mended by pushing again.
 */
async function withoutIntact(view: RemoteView, versions: readonly Version[]): Promise<Version[]> {
  const packsOf = (version: Version) => {
    const holder = view.holderOf(version.id, version.only)
    return holder?.pointer.packs.map((index) => holder.record.packs[index]!)
  }
  const packs = versions.flatMap((version) => packsOf(version) ?? [])
  const sizes = await packSizes(view.remote, new Set(packs.map(({ name }) => name)))
  return versions.filter(
    (version) => !packsOf(version)?.every(({ name, sizeBytes }) => sizes.get(name) === sizeBytes),
  )
}

/** What is staged for the next commit. A path in conflict has no version. */
async function indexVersions(workbench: Workbench): Promise<Version[]> {
  const staged = (await readIndexPointers(workbench.project.repository)).filter(({ stage }) => stage === 0)
  const contents = await readPointerBlobs(workbench, new Set(staged.map(({ blobSha }) => blobSha)))
  const tracked = staged.flatMap(({ path, blobSha }) => {
    const bytes = contents.get(blobSha)!
    // `git add -N` stages an empty blob.
    return bytes.length === 0 ? [] : [parseTracked(path, bytes, `:${path}`)]
  })
  return versionsOf(selectTracked(workbench, tracked, []))
}
