import { VarveError } from '../errors.ts'
import { blobsBefore } from '../git/blobs-before.ts'
import { currentHead } from '../git/current-head.ts'
import { logOfPath } from '../git/log-of-path.ts'
import type { GitObjectId } from '../git/object-id.ts'
import { POINTER_PATHSPEC, POINTER_SUFFIX } from '../git/pointer-path.ts'
import { streamLog } from '../git/stream-log.ts'
import { isAtOrBelow } from '../path-filter.ts'
import { type LogCommit, type LogStep, pairRenamedSteps } from './pair-renamed-steps.ts'
import { readPointersLeniently } from './read-pointers-leniently.ts'
import { repositoryPathOf } from './select-tracked.ts'
import { pointerPathOf } from './tracked.ts'
import type { Workbench } from './workbench.ts'

/** A commit's change to a pointer, its blobs not read yet. `path` is that of the pointer. */
type RawStep = { commit: LogCommit; path: string; blobSha: GitObjectId | undefined }

/**
 * The changes that commits made to pointers, newest first, and those of `uncommitted` that belong to them.
 * @throws NOT_TRACKED when PATH is, and was, nothing that is tracked
 */
export async function committedSteps(
  workbench: Workbench,
  options: { path: string | undefined; mostVersions: number; uncommitted: readonly LogStep[] },
): Promise<{ steps: LogStep[]; uncommitted: LogStep[] }> {
  const { mostVersions, uncommitted } = options
  const path = options.path === undefined ? '' : repositoryPathOf(workbench, options.path)
  if (path !== '') {
    const here = uncommitted.filter((step) => step.path === path)
    const raw = await stepsOfPath(workbench, here[0]?.from ?? path)
    if (here.length > 0 || raw.length > 0) {
      const steps = await readSteps(workbench, raw.slice(0, mostVersions), olderNames(raw))
      return { steps, uncommitted: here }
    }
  }
  const below = uncommitted.filter((step) => isAtOrBelow(step.path, path))
  const raw = await stepsBelow(workbench, path, mostVersions)
  if (path !== '' && below.length + raw.length === 0) throw notTracked(options.path!)
  return { steps: pairRenamedSteps(await readSteps(workbench, raw, [])), uncommitted: below }
}

async function stepsOfPath(workbench: Workbench, path: string): Promise<RawStep[]> {
  const versions = await logOfPath(workbench.project.repository, pointerPathOf(path))
  return versions.map(({ path: pointerPath, blobSha, ...commit }) => ({ commit, path: pointerPath, blobSha }))
}

/** Stops once there are enough, so that the newest versions of a long history come soon. */
async function stepsBelow(workbench: Workbench, folder: string, mostVersions: number): Promise<RawStep[]> {
  const { repository } = workbench.project
  const head = await currentHead(repository)
  if (head === undefined) return []
  const steps: RawStep[] = []
  const request = { revisions: [head], pathspec: POINTER_PATHSPEC, pathspecs: 'glob' } as const
  for await (const { changes, parents: _, ...commit } of streamLog(repository, request)) {
    for (const { path, blobSha } of changes) {
      if (isAtOrBelow(trackedPathOf(path), folder)) steps.push({ commit, path, blobSha })
    }
    // A commit is taken whole, since a rename is two changes of one.
    if (steps.length >= mostVersions) break
  }
  return steps
}

function olderNames(raw: readonly RawStep[]): string[] {
  return [...new Set(raw.map(({ path }) => path))]
}

/** Reads the pointers before and after each step; a path that one of `names` became without a change was renamed. */
async function readSteps(
  workbench: Workbench,
  raw: readonly RawStep[],
  names: readonly string[],
): Promise<LogStep[]> {
  const { repository } = workbench.project
  const before = await blobsBefore(
    repository,
    raw.map(({ commit: { commit }, path }) => ({ commit, path })),
  )
  const renames = await findRenames(
    workbench,
    raw.filter((_, at) => before[at] === undefined),
    names,
  )
  const blobShas = [...raw.map(({ blobSha }) => blobSha), ...before]
  const read = await readPointersLeniently(workbench, blobShas)
  return raw.map((step, at) => {
    const from = renames.get(step)
    const pointerOf = (blobSha: GitObjectId | undefined) =>
      blobSha === undefined ? undefined : read(step.path, blobSha)
    return {
      commit: step.commit,
      path: trackedPathOf(step.path),
      before: pointerOf(from === undefined ? before[at] : step.blobSha),
      after: pointerOf(step.blobSha),
      ...(from !== undefined && { from: trackedPathOf(from) }),
    }
  })
}

async function findRenames(
  workbench: Workbench,
  added: readonly RawStep[],
  names: readonly string[],
): Promise<Map<RawStep, string>> {
  const questions = added.flatMap((step) =>
    names.filter((name) => name !== step.path).map((path) => ({ step, commit: step.commit.commit, path })),
  )
  const answers = await blobsBefore(workbench.project.repository, questions)
  const renames = new Map<RawStep, string>()
  for (const [at, { step, path }] of questions.entries()) {
    if (step.blobSha !== undefined && answers[at] === step.blobSha) renames.set(step, path)
  }
  return renames
}

function trackedPathOf(pointerPath: string): string {
  return pointerPath.slice(0, -POINTER_SUFFIX.length)
}

function notTracked(text: string): VarveError {
  return new VarveError('NOT_TRACKED', `no commit of this branch has tracked ${text}`, {
    hint: '`varve log` shows all versions of what is tracked; to see one directory inside, use `varve diff`.',
  })
}
