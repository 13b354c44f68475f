import { lstatSync } from 'node:fs'
import { resolve } from 'node:path'
import { VarveError } from '../errors.ts'
import { resolveRevision } from '../git/resolve-revision.ts'
import { hasWildcards, isAtOrBelow } from '../path-filter.ts'
import { repositoryPathOf } from './select-tracked.ts'
import { suggestTracked } from './suggest-tracked.ts'
import { listPointers, pointerPathOf } from './tracked.ts'
import type { Workbench } from './workbench.ts'

/**
 * Tells revisions from paths as git does: `--` divides them; without it the words that name a commit come first, and
 * one that is both must be divided.
 * @throws USAGE for too many revisions, a range, or a word that is both; NOT_FOUND for a revision that is none, and where no
 *   revision is named for a word that is neither one nor a path
 */
export async function revisionsAndPaths(
  workbench: Workbench,
  words: { before: readonly string[]; afterDashDash: readonly string[] | undefined },
  mostRevisions: number,
): Promise<{ revisions: string[]; paths: string[] }> {
  const { before, afterDashDash } = words
  const { repository } = workbench.project
  if (afterDashDash !== undefined) {
    for (const word of before) {
      if ((await resolveRevision(repository, word)) !== undefined) continue
      throw new VarveError('NOT_FOUND', `no such revision: ${word}`, {
        hint: '`git log --oneline` and `git branch -a` show what there is.',
      })
    }
    return { revisions: atMost(before, mostRevisions), paths: [...afterDashDash] }
  }
  const revisions: string[] = []
  for (const word of before) {
    const isPath = looksLikePath(workbench, word)
    const isRevision = (await resolveRevision(repository, word)) !== undefined
    if (isPath && isRevision) {
      throw new VarveError('USAGE', `${word} is both a revision and a path`, {
        hint: `Divide them: \`${word} --\` for the revision, \`-- ${word}\` for the path.`,
      })
    }
    if (!isRevision) {
      if (!isPath && revisions.length === 0) await refuseNeither(workbench, word)
      break
    }
    revisions.push(word)
  }
  return { revisions: atMost(revisions, mostRevisions), paths: before.slice(revisions.length) }
}

/** What the workspace lacks may still be tracked, or part of what is. */
async function refuseNeither(workbench: Workbench, word: string): Promise<void> {
  const path = repositoryPathOf(workbench, word)
  const tracked = (await listPointers(workbench)).map((pointer) => pointer.path)
  if (tracked.some((one) => isAtOrBelow(path, one) || isAtOrBelow(one, path))) return
  const [, from, to] = /^(.+?)\.{2,3}(.+)$/.exec(word) ?? []
  if (from !== undefined) {
    throw new VarveError('USAGE', `${word} is a range, where single revisions are asked for`, {
      hint: `Write the two apart where a command takes two: \`${from} ${to}\`.`,
    })
  }
  const meant = suggestTracked(workbench, path, tracked)
  const advice =
    '`varve status` lists what is tracked, `git log --oneline` and `git branch -a` the revisions.'
  throw new VarveError('NOT_FOUND', `${word} is neither a revision nor a tracked path`, {
    hint: meant === undefined ? advice : `Did you mean ${meant}? ${advice}`,
  })
}

function atMost(revisions: readonly string[], most: number): string[] {
  if (revisions.length <= most) return [...revisions]
  throw new VarveError('USAGE', `${revisions.length} revisions where at most ${most} can be`, {
    hint: 'Write paths after `--`.',
  })
}

function looksLikePath(workbench: Workbench, word: string): boolean {
  const { root, prefix } = workbench.project.repository
  const absolute = resolve(root, prefix, word)
  return hasWildcards(word) || exists(absolute) || exists(pointerPathOf(absolute))
}

function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    return false
  }
}
