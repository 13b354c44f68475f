import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Digest } from '../content-id.ts'
import { type DirectoryBlock, ENTRY_BYTES } from '../format/stat-cache.ts'
import { StatTable } from '../format/stat-table.ts'
import { compactStatCache } from './compact-stat-cache.ts'
import { DirectoryStats } from './directory-stats.ts'
import type { FileStamp } from './file-stamp.ts'
import { FilesystemClock } from './filesystem-clock.ts'
import { mergeStatBlocks } from './merge-stat-blocks.ts'
import { BASE_NAME, StatCacheBase } from './stat-cache-base.ts'
import { StatCacheJournal } from './stat-cache-journal.ts'
import { PendingStats, settlesAt } from './stat-cache-pending.ts'
import { isSystemError } from './system-error.ts'

export type StatCacheOptions = {
  /** Asked when the cache is compacted: what was known of a directory that is gone is dropped. */
  directoryExists?: ((directory: string) => boolean) | undefined
}

/** A journal is folded into a new base when it is larger than this, or than a quarter of the base, ... */
const JOURNAL_FLOOR_BYTES = 1024 * 1024
/** ... but it is held in memory, so never larger than this. */
const JOURNAL_CEILING_BYTES = 64 * 1024 * 1024
/** So many records in memory, about 150 bytes each, are flushed without being asked. */
const PENDING_LIMIT = 256 * 1024
/** How long a flush may wait for the filesystem's clock to move on: two ticks of the slowest usual kernel. */
const SETTLE_TIMEOUT_MS = 20

/**
 * Answers which content a file of the workspace has without reading it, from the file's stamp. One for each worktree.
 * It is only a cache: whatever is damaged, torn, foreign or racy counts as unknown, no failure to write it is an
 * error, and nothing in it is ever believed against the stamp. Paths are relative to the repository, slash-separated.
 * Format and reasoning: docs/formats/stat-cache.md.
 */
export class StatCache {
  readonly folder: string
  readonly #options: StatCacheOptions
  readonly #clock: FilesystemClock
  #base: StatCacheBase | undefined
  #journal: StatCacheJournal | undefined
  #pending = new PendingStats()

  private constructor(folder: string, options: StatCacheOptions) {
    this.folder = folder
    this.#options = options
    this.#clock = new FilesystemClock(join(folder, 'probe'))
    this.#base = StatCacheBase.open(join(folder, BASE_NAME))
  }

  /** Reads no more than the table of directories. The folder need not exist; it belongs to the cache alone. */
  static open(folder: string, options: StatCacheOptions = {}): StatCache {
    return new StatCache(folder, options)
  }

  /** What is known of the files directly in `directory`; '' is the root. One read from the disk. */
  lookup(directory: string): DirectoryStats {
    const journalBlocks = this.#loadJournal()?.blocksOf(directory) ?? []
    const journalBlock = mergeStatBlocks(journalBlocks, { forgotten: 'keep' })
    const index = this.#base?.directories.find(directory) ?? -1
    const baseBlock = index < 0 ? undefined : this.#base?.readBlock(index)
    const tables = [journalBlock, baseBlock]
      .map((block) => block && StatTable.open(block, ENTRY_BYTES))
      .filter((table) => table !== undefined)
    return new DirectoryStats(tables, (name) => this.#pending.slotsOf(directory)?.has(name) ?? false)
  }

  /**
   * The time by the filesystem's clock, in milliseconds, for `record`. Undefined where the folder cannot be written,
   * so that nothing will be recorded either.
   */
  now(): number | undefined {
    return this.#makeFolder() ? this.#clock.now() : undefined
  }

  /**
   * Notes that the file had this content while it had this stamp; known to `lookup` after the next flush. The stamp
   * must have been taken before the content was read and be the same after it.
   * With `readSinceMs`, the `now()` from before the first byte was read, not even a change in the same tick as the
   * stamp and during the reading is missed; without it one is, as in git, if it happens before the flush.
   */
  record(
    path: string,
    stamp: FileStamp,
    digest: Digest,
    { readSinceMs = Number.POSITIVE_INFINITY }: { readSinceMs?: number | undefined } = {},
  ): void {
    if (settlesAt(stamp) >= readSinceMs) return
    this.#pending.record(path, stamp, digest)
    if (this.#pending.count >= PENDING_LIMIT) this.flush()
  }

  /** Drops what is known of a file, so that the cache does not grow with files that are gone. */
  forget(path: string): void {
    this.#pending.forget(path)
    if (this.#pending.count >= PENDING_LIMIT) this.flush()
  }

  /**
   * Writes what was recorded, but for files whose stamps are racy. Files stamped within the clock's present tick are
   * waited for, 20 ms at most: reading them again later would take longer.
   */
  flush(): void {
    const pending = this.#pending
    if (pending.count === 0) return
    this.#pending = new PendingStats()
    try {
      this.#write(pending)
    } catch (error) {
      if (!isSystemError(error)) throw error
    }
  }

  /** Drops what was not flushed. */
  close(): void {
    this.#pending = new PendingStats()
    this.#closeBase()
  }

  #write(pending: PendingStats): void {
    let clockMs = this.now()
    if (clockMs === undefined) return
    const settling = pending.latestSettling(clockMs + SETTLE_TIMEOUT_MS)
    if (settling !== undefined && settling >= clockMs)
      clockMs = this.#clock.waitPast(settling, SETTLE_TIMEOUT_MS)
    if (clockMs === undefined) return
    const changes = pending.toBlocks(clockMs)
    if (changes.length === 0) return

    if (this.#base === undefined || !this.#base.isAt(join(this.folder, BASE_NAME))) this.#reopen()
    const journal = this.#loadJournal()
    if (this.#base === undefined || journal === undefined || journal.isTorn) {
      this.#compact(changes)
      return
    }
    const frame = journal.encode(changes)
    const limit = Math.max(JOURNAL_FLOOR_BYTES, Math.min(this.#base.sizeBytes / 4, JOURNAL_CEILING_BYTES))
    if (journal.sizeBytes + frame.length > limit) this.#compact(changes)
    else journal.append(frame)
  }

  #compact(changes: readonly DirectoryBlock[]): void {
    const base = this.#base
    // Read again: other processes may have appended meanwhile.
    const journal = base && StatCacheJournal.load(this.folder, base.generation)
    const directoryExists = this.#options.directoryExists ?? (() => true)
    this.#base = undefined
    try {
      compactStatCache({ folder: this.folder, base, journal, changes, directoryExists })
    } finally {
      this.#reopen()
    }
  }

  /** Undefined where there is no base that it could continue. */
  #loadJournal(): StatCacheJournal | undefined {
    this.#journal ??= this.#base && StatCacheJournal.load(this.folder, this.#base.generation)
    return this.#journal
  }

  #reopen(): void {
    this.#closeBase()
    this.#base = StatCacheBase.open(join(this.folder, BASE_NAME))
  }

  #closeBase(): void {
    this.#base?.close()
    this.#base = undefined
    this.#journal = undefined
  }

  #makeFolder(): boolean {
    try {
      mkdirSync(this.folder, { recursive: true })
      return true
    } catch (error) {
      if (isSystemError(error)) return false
      throw error
    }
  }
}
