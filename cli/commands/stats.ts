import { type Stats, stats } from '../../core/operations/stats.ts'
import { defineCommand } from '../command.ts'
import { formatBytes } from '../render/format-bytes.ts'
import { formatCount, formatCountOf } from '../render/format-count.ts'
import type { Output } from '../render/output.ts'
import { renderTable } from '../render/table.ts'
import { withWorkbench } from '../with-workbench.ts'

export const statsCommand = defineCommand({
  usage: 'stats',
  description: `What the store holds of this repository. For each tracked path, its current version by itself: its size, its
bytes once what occurs twice is taken out (unique), and as they are stored, compressed. Then the same for every version
of every path that a commit, git's index or the working tree names, together, and what was saved.`,
  examples: [
    ['varve stats', 'what deduplication and compression save here'],
    ['varve stats --json', 'in bytes, for scripts'],
  ],
  options: {},
  positionals: [],
  async run(context) {
    const { output } = context
    await withWorkbench(context, async (workbench) => {
      const result = await stats(workbench)
      output.result(toJson(result), () => render(result, output))
    })
  },
})

function toJson({ store, paths, history }: Stats) {
  return {
    store,
    paths: paths.map((path) => ({ ...path, id: path.id ?? null })),
    history: { ...history, ...savings(history) },
  }
}

function savings({ logicalBytes, uniqueBytes, storedBytes }: Stats['history']) {
  return {
    savedByDeduplication: logicalBytes - uniqueBytes,
    savedByCompression: uniqueBytes - storedBytes,
  }
}

function render({ store, paths, history }: Stats, { paint }: Pick<Output, 'paint'>): string {
  const parts: string[] = []
  if (paths.length > 0) {
    const head = ['path', 'files', 'size', 'chunks', 'unique', 'stored'].map(paint.bold)
    const rows = paths.map((path) => [
      path.path,
      formatCount(path.files),
      formatBytes(path.sizeBytes),
      formatCount(path.uniqueChunks),
      formatBytes(path.uniqueBytes),
      formatBytes(path.storedBytes),
      path.isPartial ? paint.yellow('not all here') : '',
    ])
    parts.push(renderTable(rows, { head, alignRight: [1, 2, 3, 4, 5] }))
  }
  const { savedByDeduplication, savedByCompression } = savings(history)
  const { logicalBytes, uniqueBytes, storedBytes, metadataBytes, versions, partialVersions } = history
  const rows = [
    ['size', formatBytes(logicalBytes), ''],
    [
      'saved by deduplication',
      formatBytes(savedByDeduplication),
      percent(savedByDeduplication, logicalBytes),
    ],
    ['unique', formatBytes(uniqueBytes), ''],
    ['saved by compression', formatBytes(savedByCompression), percent(savedByCompression, uniqueBytes)],
    ['stored', formatBytes(storedBytes), percent(storedBytes, logicalBytes, 'of the size')],
    ['listings and recipes', formatBytes(metadataBytes), ''],
  ]
  const partial = partialVersions > 0 ? `, ${formatCount(partialVersions)} of them not all here` : ''
  const title = paint.bold(`all of history: ${formatCountOf(versions, 'version')}${partial}`)
  parts.push(`${title}\n${renderTable(rows, { alignRight: [1, 2], indent: '  ' })}`)
  parts.push(`${store.folder}: ${formatCountOf(store.packs, 'pack')}, ${formatBytes(store.packBytes)}\n`)
  return parts.join('\n')
}

function percent(part: number, whole: number, of = ''): string {
  return whole === 0 ? '' : `${((100 * part) / whole).toFixed(1)} % ${of}`.trimEnd()
}
