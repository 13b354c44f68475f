import { type CheckedOutPath, checkout } from '../../core/operations/checkout.ts'
import { leftBehind } from '../../core/operations/left-behind.ts'
import { revisionsAndPaths } from '../../core/operations/revisions-and-paths.ts'
import { typedPath } from '../../core/operations/typed-path.ts'
import { defineCommand } from '../command.ts'
import { formatCount, formatCountOf } from '../render/format-count.ts'
import type { Output } from '../render/output.ts'
import { withWorkbench } from '../with-workbench.ts'

export const checkoutCommand = defineCommand({
  usage: 'checkout [rev --] [path...]',
  description:
    'Brings the workspace to the versions that the pointers name. With a revision it does what git does: pointer, ' +
    "git's index and data go to that version, HEAD stays. Files that were never added are kept; changes that no " +
    'version holds stop it. Bytes that are not here are fetched.',
  examples: [
    ['varve checkout', 'after `git checkout` or `git pull`'],
    ['varve checkout v1.0 -- data/train', 'one path as it was in a release'],
    ['varve checkout data/train --force', 'give up local changes'],
  ],
  options: {
    force: { type: 'boolean', short: 'f', summary: 'Overwrite changes that no version holds' },
    remoteName: {
      type: 'string',
      short: 'r',
      valueName: 'NAME',
      summary: 'Fetch what is missing from this remote',
    },
  },
  positionals: [{ name: 'path', summary: 'A revision, then paths; all paths if none', variadic: true }],
  afterDashDash: 'separate',
  async run(context, { options, positionals, dashDash }) {
    const { paths, left, typed } = await withWorkbench(context, async (workbench) => {
      const words = { before: positionals, afterDashDash: dashDash }
      const { revisions, paths } = await revisionsAndPaths(workbench, words, 1)
      const { force, remoteName } = options
      return {
        paths: await checkout(workbench, { revision: revisions[0], paths, force, remoteName }),
        left: await leftBehind(workbench),
        typed: (path: string) => typedPath(workbench, path),
      }
    })
    context.output.summary({ paths, leftBehind: left }, () =>
      renderCheckedOut(paths, { output: context.output, typed }),
    )
    warnOfLeftBehind(left, context.output)
    if (paths.some(({ isPointerMoved }) => isPointerMoved)) {
      context.output.note(
        'the pointers of that revision are staged in git, as `git checkout REV -- PATH` does it',
      )
    }
  },
})

export function warnOfLeftBehind(paths: readonly string[], output: Output): void {
  for (const path of paths) {
    output.warn(
      `${path} is not tracked in this commit, and stays: move or delete it before \`git add .\` takes it`,
    )
  }
}

/**
 * A line for each path where something happened, the files that were kept, and what is left out. `typed`: a path as
 * the user would type it.
 */
export function renderCheckedOut(
  paths: readonly CheckedOutPath[],
  { output: { paint, verbose }, typed }: { output: Output; typed: (path: string) => string },
): string {
  const lines = paths.flatMap(({ path, written, removed, kept, edited, leftOutFiles = 0, files }) => [
    ...(written + removed > 0 ? [`${path}: ${describeWork(written, removed)}`] : []),
    ...edited.map((file) => `${paint.yellow('kept')} ${file} (with your changes)`),
    ...kept
      .slice(0, verbose ? kept.length : 5)
      .map((file) => `${paint.yellow('kept')} ${file} (never added)`),
    ...(kept.length > 5 && !verbose
      ? [`kept ${formatCountOf(kept.length - 5, 'more file')} (never added)`]
      : []),
    ...(leftOutFiles > 0
      ? [
          `${path}: ${formatCountOf(files - leftOutFiles, 'file')} of ${formatCount(files)}; the others are left out ` +
            `(\`varve pull ${typed(path)}\` brings them)`,
        ]
      : []),
  ])
  return lines.length > 0 ? lines.join('\n') : 'everything is checked out'
}

function describeWork(written: number, removed: number): string {
  return [
    ...(written > 0 ? [`${formatCountOf(written, 'file')} written`] : []),
    ...(removed > 0 ? [`${formatCountOf(removed, 'file')} removed`] : []),
  ].join(', ')
}
