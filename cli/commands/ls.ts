import { relative } from 'node:path/posix'
import { type ListedEntry, type Listing, listVersion } from '../../core/operations/list-version.ts'
import { defineCommand } from '../command.ts'
import { formatBytes } from '../render/format-bytes.ts'
import type { Output } from '../render/output.ts'
import { shortId } from '../render/short-id.ts'
import { writePieces } from '../render/write-pieces.ts'
import { withWorkbench } from '../with-workbench.ts'

export const lsCommand = defineCommand({
  usage: 'ls [[REV:]PATH]',
  description: `Lists what a directory of a version holds, without checking it out; of a folder above, what is tracked in it.
Only listings are fetched where the store lacks them, never data.

Without REV, the version is what the pointers of the working tree name. REV:PATH counts from the root of the
repository; REV:./PATH from the current directory.`,
  examples: [
    ['varve ls', 'what is tracked in the current directory and below'],
    ['varve ls -l data/images', 'kind, size, id and name of each entry'],
    ['varve ls -R v1.0:data/images/train', 'everything below, as it was in the tag v1.0'],
  ],
  options: {
    recursive: { type: 'boolean', short: 'R', summary: 'Go into directories' },
    long: { type: 'boolean', short: 'l', summary: 'Show kind, size and id as well' },
    remoteName: { type: 'string', short: 'r', valueName: 'NAME', summary: 'Fetch listings from this remote' },
  },
  positionals: [{ name: 'path', summary: 'What to list, as [REV:]PATH; the current directory by default' }],
  async run(context, { options, positionals }) {
    const { output, signal } = context
    await withWorkbench(context, async (workbench) => {
      const { recursive, long, remoteName } = options
      const listing = await listVersion(workbench, {
        path: positionals[0] ?? '.',
        recursive,
        remoteName,
      })
      for (const { error } of listing.bad) output.warn(error.message)
      if (output.json) output.result(toJson(listing), () => '')
      else {
        const from = isInside(listing) ? listing.path : workbench.project.repository.prefix
        await writePieces(output.stdout, lines(listing, { long, from, paint: output.paint }), signal)
      }
    })
  },
})

function toJson({ revision, kind, path, entries }: Listing) {
  return { revision: revision ?? null, kind, path, entries: Array.from(entries, entryToJson) }
}

function entryToJson({ path, kind, sizeBytes, id, target, files }: ListedEntry) {
  return { path, kind, sizeBytes, id, target, files }
}

const WIDEST_KIND = 'executable'.length
const WIDEST_SIZE = '1,023 KiB'.length
const WIDEST_ID = 'b3:'.length + 10

function isInside({ kind }: Listing): boolean {
  return kind === 'folder' || kind === 'dir'
}

function* lines(
  listing: Listing,
  { long, from, paint }: { long: boolean; from: string; paint: Output['paint'] },
): Generator<string> {
  for (const entry of listing.entries) {
    const path = relative(from, entry.path)
    const name = entry.kind === 'dir' ? paint.blue(`${path}/`) : path
    if (!long) {
      yield `${name}\n`
      continue
    }
    const size = formatBytes(entry.sizeBytes)
    const columns = [
      entry.kind.padEnd(WIDEST_KIND),
      size.padStart(WIDEST_SIZE),
      shortId(entry.id).padEnd(WIDEST_ID),
    ]
    yield `${columns.join('  ')}  ${name}${entry.target === undefined ? '' : ` -> ${entry.target}`}\n`
  }
}
