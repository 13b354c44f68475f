import { randomBytes } from 'node:crypto'
import { lstatSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DirectoryBlock } from '../format/stat-cache.ts'
import { compareNames } from '../format/tree.ts'
import { mergeStatBlocks } from './merge-stat-blocks.ts'
import { BASE_NAME, StatCacheBase } from './stat-cache-base.ts'
import { StatCacheBaseWriter } from './stat-cache-base-writer.ts'
import { JOURNAL_PREFIX, journalName, type StatCacheJournal } from './stat-cache-journal.ts'
import { isSystemError } from './system-error.ts'
import { TEMPORARY_PREFIX, temporaryName } from './temporary-name.ts'

export type CompactOptions = {
  folder: string
  /** Will be closed, as not every platform lets an open file be replaced. */
  base: StatCacheBase | undefined
  journal: StatCacheJournal | undefined
  /** Newer than all that the journal says; sorted. */
  changes: readonly DirectoryBlock[]
  directoryExists: (directory: string) => boolean
}

/** Older than this, an unfinished base is a dead process's. */
const ABANDONED_MS = 3600 * 1000

/**
 * Puts a new base of all that is known in place of the one in `folder`. The new one has a new generation, so no
 * journal of an earlier one can be taken for its own, at whatever step a crash or another process comes between.
 * @throws the system's own errors.
 */
export function compactStatCache(options: CompactOptions): void {
  const { folder } = options
  const temporary = join(folder, temporaryName())
  const path = join(folder, BASE_NAME)
  try {
    try {
      writeBase(temporary, options)
    } finally {
      options.base?.close()
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  removeLeftovers(folder)
}

function writeBase(path: string, { base, journal, changes, directoryExists }: CompactOptions): void {
  const newer = new Map<string, Buffer[]>()
  for (const directory of journal?.directories() ?? []) {
    newer.set(directory, [...journal!.blocksOf(directory)])
  }
  for (const { directory, block } of changes) {
    const blocks = newer.get(directory)
    if (blocks === undefined) newer.set(directory, [block])
    else blocks.push(block)
  }

  const writer = new StatCacheBaseWriter(path)
  try {
    const add = (directory: string, blocks: readonly Buffer[]) => {
      const block = mergeStatBlocks(blocks, { forgotten: 'drop' })
      if (block !== undefined && directoryExists(directory)) writer.add(Buffer.from(directory), block)
    }
    const baseCount = base?.directories.count ?? 0
    let at = 0
    for (const directory of [...newer.keys()].sort(compareNames)) {
      const blocks = newer.get(directory)!
      let isInBase = false
      for (; at < baseCount && !isInBase; at++) {
        const before = base!.directories.name(at)
        const order = compareNames(before, directory)
        if (order > 0) break
        const block = base!.readBlock(at)
        isInBase = order === 0
        if (isInBase) add(directory, block === undefined ? blocks : [block, ...blocks])
        else if (block !== undefined) add(before, [block])
      }
      if (!isInBase) add(directory, blocks)
    }
    for (; at < baseCount; at++) {
      const block = base!.readBlock(at)
      if (block !== undefined) add(base!.directories.name(at), [block])
    }
    writer.finish(randomBytes(8).readBigUInt64LE())
  } finally {
    writer.close()
  }
}

/** Best effort: what another process has removed, or still holds open on Windows, stays for the next time. */
function removeLeftovers(folder: string): void {
  const current = StatCacheBase.open(join(folder, BASE_NAME))
  current?.close()
  if (current === undefined) return
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    try {
      const isStaleJournal = name.startsWith(JOURNAL_PREFIX) && name !== journalName(current.generation)
      const isAbandoned =
        name.startsWith(TEMPORARY_PREFIX) && Date.now() - lstatSync(path).mtimeMs > ABANDONED_MS
      if (isStaleJournal || isAbandoned) rmSync(path)
    } catch (error) {
      if (!isSystemError(error)) throw error
    }
  }
}
