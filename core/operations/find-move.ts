import { type BigIntStats, lstatSync } from 'node:fs'
import { join, posix } from 'node:path'
import { VarveError } from '../errors.ts'
import { foldName, nameProblem, quoteName } from '../format/names.ts'
import { checkIgnored } from '../git/check-ignored.ts'
import { trackedPathsUnder } from '../git/tracked-paths-under.ts'
import { isAtOrBelow } from '../path-filter.ts'
import { repositoryPathOf } from './select-tracked.ts'
import { pointerPathOf } from './tracked.ts'
import type { Workbench } from './workbench.ts'

/** Where a tracked path is to go. Both relative to the root. */
export type Move = { from: string; to: string }

export type MoveContext = {
  from: string
  /** As the user calls it. */
  to: string
  trackedPaths: readonly string[]
  /** A move that was cut off: what it has done is not in its own way. */
  begun: Move | undefined
}

/**
 * What the user means by `varve mv A B`, once it is sure that nothing is in the way.
 * @throws NOT_FOUND, ALREADY_EXISTS, ALREADY_TRACKED, OUTSIDE_REPOSITORY, UNSUPPORTED_FILE, CONFLICT, USAGE
 */
export async function findMove(workbench: Workbench, context: MoveContext): Promise<Move> {
  const { from, trackedPaths, begun } = context
  const { root } = workbench
  const { repository } = workbench.project
  const { to, isBegun } = destinationOf(workbench, context)
  if (to === from) throw new VarveError('USAGE', `${from} is there already`)
  if (isAtOrBelow(to, from)) throw new VarveError('USAGE', `cannot move ${from} into itself, to ${to}`)
  refuseName(to)
  if (trackedPaths.includes(to) && !isBegun) {
    throw new VarveError('ALREADY_EXISTS', `varve tracks ${to} already`, {
      hint: 'Choose another name; nothing is moved into a directory that is tracked as a whole.',
    })
  }
  const above = trackedPaths.find((tracked) => ![from, to].includes(tracked) && isAtOrBelow(to, tracked))
  if (above !== undefined) {
    throw new VarveError(
      'ALREADY_TRACKED',
      `cannot move ${from} into ${above}, which is tracked as a whole`,
      {
        hint: `Choose another place; or run \`varve untrack ${from}\`, move it yourself, and \`varve add ${above}\`.`,
      },
    )
  }
  refuseOverwriting(root, { from, to }, isBegun ? begun : undefined)
  const [inGit] = await trackedPathsUnder(repository, to, 1)
  if (inGit !== undefined) {
    throw new VarveError('ALREADY_TRACKED', `git already tracks ${inGit}`, {
      hint: 'Choose another name, or take it out of git first.',
    })
  }
  if (!statOf(root, posix.dirname(to))?.isDirectory()) throw noFolder(posix.dirname(to))
  const [ignored] = await checkIgnored(repository, [pointerPathOf(to)])
  if (ignored === undefined) return { from, to }
  throw new VarveError('CONFLICT', `git ignores ${ignored}, which it must keep`, {
    hint: 'Change the line in .gitignore (`git check-ignore -v` shows it), or choose another place.',
  })
}

function destinationOf(workbench: Workbench, context: MoveContext): { to: string; isBegun: boolean } {
  const { from, trackedPaths, begun } = context
  const { root } = workbench
  const typed = repositoryPathOf(workbench, context.to)
  const inside = posix.join(typed, posix.basename(from))
  if (begun?.from === from && (begun.to === typed || begun.to === inside)) {
    return { to: begun.to, isBegun: true }
  }
  const target = statOf(root, typed)
  if (target === undefined && /[/\\]$/.test(context.to)) throw noFolder(typed)
  const isFolder =
    target?.isDirectory() === true && !trackedPaths.includes(typed) && !isRespelled(root, { from, to: typed })
  return { to: isFolder ? inside : typed, isBegun: false }
}

function refuseOverwriting(root: string, move: Move, begun: Move | undefined): void {
  const { from, to } = move
  const pairs = [move, { from: pointerPathOf(from), to: pointerPathOf(to) }]
  for (const pair of pairs) {
    if (statOf(root, pair.to) === undefined || isRespelled(root, pair)) continue
    if (begun !== undefined && statOf(root, pair.from) === undefined) continue
    throw new VarveError('ALREADY_EXISTS', `${pair.to} is there already, and would be overwritten`, {
      hint: 'Move it out of the way first, or choose another name.',
    })
  }
}

/** Where case or the form of accents does not count, the new spelling of a name finds the old one. */
function isRespelled(root: string, { from, to }: Move): boolean {
  if (from === to || foldName(from) !== foldName(to)) return false
  const [a, b] = [statOf(root, from), statOf(root, to)]
  if (a === undefined || b === undefined || a.dev !== b.dev || a.ino !== b.ino) return false
  return a.isDirectory() || a.nlink === 1n
}

function refuseName(path: string): void {
  for (const name of path.split('/')) {
    const problem = nameProblem(name)
    if (problem === undefined) continue
    throw new VarveError('UNSUPPORTED_FILE', `${path}: the name ${quoteName(name)} ${problem}`, {
      hint: 'Choose another name.',
    })
  }
}

function noFolder(path: string): VarveError {
  return new VarveError('NOT_FOUND', `there is no folder ${path}`, { hint: 'Make it first.' })
}

/** Undefined where there is nothing, also because something above is no folder. */
export function statOf(root: string, path: string): BigIntStats | undefined {
  try {
    return lstatSync(join(root, path), { bigint: true, throwIfNoEntry: false })
  } catch {
    return undefined
  }
}
