import { VarveError } from '../../core/errors.ts'
import type { AffectedVersion } from '../../core/operations/affected-versions.ts'
import {
  remainingProblems,
  type StoreProblem,
  type VerifyResult,
  verify,
} from '../../core/operations/verify.ts'
import { defineCommand } from '../command.ts'
import { formatBytes } from '../render/format-bytes.ts'
import { formatCount, formatCountOf } from '../render/format-count.ts'
import type { Output } from '../render/output.ts'
import { shortId } from '../render/short-id.ts'
import { withWorkbench } from '../with-workbench.ts'

export const verifyCommand = defineCommand({
  usage: 'verify',
  description: `Checks that no pack and no index segment is damaged or gone, by the checksums of all
that is stored. For what is wrong, it says which tracked paths and versions need it. Ends with 7 if it finds problems.`,
  examples: [
    ['varve verify', 'checksums of all that is stored'],
    ['varve verify --full', 'decompress and hash everything as well'],
    ['varve verify --rebuild-index', 'make the index anew from the packs'],
  ],
  options: {
    full: { type: 'boolean', summary: 'Decompress every entry and compare it with its id' },
    rebuildIndex: { type: 'boolean', summary: 'Make the index anew from the packs that are there' },
  },
  positionals: [],
  async run(context, { options }) {
    const { output } = context
    await withWorkbench(context, async (workbench) => {
      const result = await verify(workbench, options)
      const remaining = remainingProblems(result)
      output.result(toJson(result), () => render(result, output))
      if (remaining.length === 0) return
      throw new VarveError('CORRUPT', `${formatCountOf(remaining.length, 'problem')} in ${result.store}`, {
        hint: hintFor(remaining, result.rebuilt !== undefined),
      })
    })
  },
})

function hintFor(remaining: readonly StoreProblem[], isRebuilt: boolean): string {
  const again = '`varve pull`, or `varve add PATH` with the original file.'
  if (isRebuilt) return `What is lost was left out of the new index: bring it back with ${again}`
  return remaining.some(({ kind }) => kind === 'damaged-segment')
    ? 'Run `varve verify --rebuild-index`: the index can be made anew from the packs.'
    : `Run \`varve verify --rebuild-index\`, then ${again}`
}

function toJson(result: VerifyResult) {
  const { affected, rebuilt, ...rest } = result
  return {
    ...rest,
    isGood: remainingProblems(result).length === 0,
    affected: affected?.map(affectedToJson) ?? null,
    rebuilt: rebuilt === undefined ? null : { ...rebuilt, segment: rebuilt.segment ?? null },
  }
}

function affectedToJson({ version, files, firstFiles, packs }: AffectedVersion) {
  const { path, pointer, inWorkingTree, inIndex, commit } = version
  const id = pointer.kind === 'link' ? null : pointer.id
  return {
    path,
    pointer: `${path}.varve`,
    id,
    inWorkingTree,
    inIndex,
    commit: commit ?? null,
    files,
    firstFiles,
    packs,
  }
}

function render(result: VerifyResult, { paint, verbose }: Output): string {
  const { full, packs, entries, bytes, segments, problems, affected, orphanPacks, leftovers, rebuilt } =
    result
  const lines = [
    `${full ? 'verified every byte of' : 'verified the checksums of'} ${formatCountOf(packs, 'pack')} ` +
      `(${formatCountOf(entries, 'entry', 'entries')}, ${formatBytes(bytes)}) and ${formatCountOf(segments, 'index segment')}`,
  ]
  for (const problem of problems) {
    lines.push(renderProblem(problem, paint))
  }
  if (affected === undefined) {
    lines.push('the index is damaged: until it is made anew, nothing in this store can be read')
  } else if (affected.length > 0) {
    lines.push(`affected: ${formatCountOf(affected.length, 'version')}`)
    for (const one of affected) lines.push(...renderAffected(one, verbose))
  } else if (remainingProblems(result).length > 0) {
    lines.push('affected: no version that a pointer names')
  }
  if (rebuilt !== undefined) {
    lines.push(
      `made the index anew: ${formatCountOf(rebuilt.rows, 'row')} of ${formatCountOf(rebuilt.packs, 'pack')}` +
        (rebuilt.entriesLeftOut > 0
          ? `, ${formatCountOf(rebuilt.entriesLeftOut, 'damaged entry', 'damaged entries')} left out`
          : '') +
        (rebuilt.leftOut.length > 0 ? `, ${formatCount(rebuilt.leftOut.length)} unreadable left out` : ''),
    )
  }
  if (orphanPacks.length > 0) {
    const what = `${formatCountOf(orphanPacks.length, 'pack')} in no index segment`
    lines.push(
      rebuilt === undefined
        ? `note: ${what}; \`varve verify --rebuild-index\` takes in what is in them`
        : `note: ${what} before, taken in`,
    )
  }
  if (leftovers.files > 0) {
    lines.push(
      `note: ${formatCountOf(leftovers.files, 'unfinished file')}, ${formatBytes(leftovers.bytes)}; the next \`varve add\` clears up`,
    )
  }
  if (remainingProblems(result).length === 0) lines.push(paint.green('all is well'))
  return lines.join('\n')
}

function renderProblem(problem: StoreProblem, paint: Output['paint']): string {
  if (problem.kind === 'damaged-segment') {
    return `${problem.isRepaired ? paint.green('repaired:') : paint.red('problem:')} ${problem.message}`
  }
  return problem.isSuperseded
    ? `note: ${problem.message}; left out of the index, or held elsewhere too`
    : `${paint.red('problem:')} ${problem.message}`
}

function renderAffected({ version, files, firstFiles }: AffectedVersion, verbose: boolean): string[] {
  const { path, pointer, inWorkingTree, inIndex, commit } = version
  const places = [
    ...(inWorkingTree ? ['working tree'] : []),
    ...(inIndex && !inWorkingTree ? ['git index'] : []),
    ...(commit === undefined ? [] : [commit.slice(0, 10)]),
  ].join(', ')
  const id = pointer.kind === 'link' ? '' : shortId(pointer.id)
  const shown = verbose ? firstFiles : firstFiles.slice(0, 3)
  const more = files > shown.length ? [`      and ${formatCount(files - shown.length)} more`] : []
  return [
    `  ${path}.varve  ${id}  ${places}: ${formatCountOf(files, 'file')}`,
    ...shown.map((file) => `      ${file}`),
    ...more,
  ]
}
