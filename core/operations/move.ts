import { readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fromSystemError } from '../errors.ts'
import { stageEdits } from '../git/stage-edits.ts'
import { syncFolder } from '../store/durable.ts'
import { writeFileDurably } from '../store/write-file-durably.ts'
import { ensureIgnored, removeIgnored } from '../workspace/git-ignore-file.ts'
import { keepStamps } from '../workspace/keep-stamps.ts'
import { findMove, type Move, statOf } from './find-move.ts'
import { repositoryPathOf } from './select-tracked.ts'
import { listPointers, pointerPathOf } from './tracked.ts'
import { notTracked } from './untrack.ts'
import type { Workbench } from './workbench.ts'

export type MoveOptions = {
  /** As the user calls it. */
  from: string
  /** The new path, or a directory to move into. */
  to: string
  stage: boolean
}

export type MoveResult = Move & {
  /** False where the data is not in the workspace: then the pointer alone has moved. */
  dataMoved: boolean
}

/**
 * Gives a tracked file or directory another name, with its data, pointer and ignore line. Nothing is ever overwritten.
 * Cut off at any point, all bytes are under the old name or the new one, and the same call again ends the work.
 * @throws NOT_TRACKED; what `findMove` throws; CONFLICT, MALFORMED and the like for a pointer that is not good;
 *   NO_PERMISSION, IO
 */
export async function move(workbench: Workbench, options: MoveOptions): Promise<MoveResult> {
  const { root, state } = workbench
  const { repository } = workbench.project
  const notePath = join(repository.gitDir, 'varve', 'move.json')
  const begun = readNote(notePath)
  const pointers = await listPointers(workbench)
  const trackedPaths = pointers.map(({ path }) => path)
  const from = repositoryPathOf(workbench, options.from)
  const pointer =
    pointers.find(({ path }) => path === from) ??
    pointers.find(({ path }) => begun?.from === from && path === begun.to)
  if (pointer === undefined) throw notTracked(options.from, from, trackedPaths)
  if (pointer.error !== undefined) throw pointer.error
  const { to } = await findMove(workbench, { from, to: options.to, trackedPaths, begun })

  writeFileDurably(notePath, JSON.stringify({ from, to } satisfies Move))
  const edits = moveData(workbench, { from, to }, notePath)
  if (statOf(root, pointerPathOf(from)) !== undefined) rename(root, pointerPathOf(from), pointerPathOf(to))
  edits.push(pointerPathOf(from), pointerPathOf(to))
  const ignoreFile = removeIgnored(root, from)
  if (ignoreFile !== undefined) edits.push(ignoreFile)
  // What the first attempt changed is not known any more.
  if (begun !== undefined) edits.push(ignoreFileOf(from), ignoreFileOf(to))
  state.rename(from, to)
  state.save()
  if (options.stage) await stageEdits(repository, edits)
  rmSync(notePath, { force: true })
  return { from, to, dataMoved: statOf(root, to) !== undefined }
}

/** The ignore line goes first, so that git never sees the data. Gives what was edited. */
function moveData(workbench: Workbench, { from, to }: Move, notePath: string): string[] {
  const { root, cache } = workbench
  const ignoreFile = ensureIgnored(root, to)
  if (statOf(root, from) !== undefined) {
    const keep = keepStamps({ root, cache, from, to })
    try {
      rename(root, from, to)
    } catch (error) {
      if (ignoreFile !== undefined) removeIgnored(root, to)
      rmSync(notePath, { force: true })
      throw error
    }
    keep()
  }
  return ignoreFile === undefined ? [] : [ignoreFile]
}

/** The move that was cut off, if one was. */
function readNote(path: string): Move | undefined {
  try {
    const { from, to } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Move>
    return typeof from === 'string' && typeof to === 'string' ? { from, to } : undefined
  } catch {
    return undefined
  }
}

function ignoreFileOf(path: string): string {
  return posix.join(posix.dirname(path), '.gitignore')
}

function rename(root: string, from: string, to: string): void {
  try {
    renameSync(join(root, from), join(root, to))
    syncFolder(dirname(join(root, to)))
    if (dirname(from) !== dirname(to)) syncFolder(dirname(join(root, from)))
  } catch (error) {
    throw fromSystemError(error, `renaming ${from} to ${to}`)
  }
}
