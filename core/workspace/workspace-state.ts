import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { type ContentId, digestFromContentId, isContentId } from '../content-id.ts'
import type { Pointer } from '../format/pointer.ts'
import type { TreeEntry } from '../format/tree.ts'
import { isAtOrBelow, PathFilter, patternOf } from '../path-filter.ts'

type SavedVersion =
  | { kind: 'file' | 'executable' | 'dir'; id: ContentId; sizeBytes: number }
  | { kind: 'link'; target: string }
type Saved = {
  versions?: Record<string, SavedVersion>
  only?: Record<string, string[]>
  elsewhere?: string[]
}

function savedVersion(pointer: Pointer): SavedVersion {
  const { kind, sizeBytes } = pointer
  return kind === 'link' ? { kind, target: pointer.target } : { kind, id: pointer.id, sizeBytes }
}

/**
 * What this worktree has of each tracked path: which version was added or checked out last (so that a file that was
 * part of it can be told from one that never was), and, after `varve pull data/train`, that the rest of `data` is
 * left out and not deleted; and where the bytes of a version may be at a remote alone. One small file for each worktree.
 */
export class WorkspaceState {
  readonly #path: string
  readonly #only: Map<string, string[]>
  readonly #versions: Map<string, SavedVersion>
  readonly #elsewhere: Set<string>
  readonly #filters = new Map<string, PathFilter>()

  private constructor(path: string, saved: Saved) {
    this.#path = path
    this.#only = new Map(Object.entries(saved.only ?? {}))
    this.#versions = new Map(Object.entries(saved.versions ?? {}))
    this.#elsewhere = new Set(saved.elsewhere)
  }

  /** A file that is missing or damaged says that nothing is partial. */
  static open(path: string): WorkspaceState {
    try {
      return new WorkspaceState(path, JSON.parse(readFileSync(path, 'utf8')) as Saved)
    } catch {
      return new WorkspaceState(path, {})
    }
  }

  /** The version that was added or checked out last. */
  versionOf(trackedPath: string): TreeEntry | undefined {
    const saved = this.#versions.get(trackedPath)
    const name = basename(trackedPath)
    if (saved?.kind === 'link') return { kind: 'link', name, target: saved.target }
    if (saved?.id === undefined || !isContentId(saved.id)) return undefined
    return { kind: saved.kind, name, sizeBytes: saved.sizeBytes, digest: digestFromContentId(saved.id) }
  }

  /**
   * Whether the workspace came from another version than the pointer names: git moved the pointer, and no checkout
   * followed. False where nothing is remembered.
   */
  isOutdated(trackedPath: string, pointer: Pointer): boolean {
    const before = this.#versions.get(trackedPath)
    if (before === undefined) return false
    const now = savedVersion(pointer)
    return before.kind === 'link' || now.kind === 'link'
      ? before.kind !== now.kind ||
          (before as { target: string }).target !== (now as { target: string }).target
      : before.id !== now.id
  }

  /** The tracked paths of which something was added or checked out here. */
  get paths(): string[] {
    return [...this.#versions.keys()]
  }

  remember(trackedPath: string, pointer: Pointer): void {
    this.#versions.set(trackedPath, savedVersion(pointer))
  }

  /** Its bytes came straight from a remote: what the store lacks of the version that is here, the remote has. */
  noteElsewhere(trackedPath: string): void {
    this.#elsewhere.add(trackedPath)
  }

  isElsewhere(trackedPath: string): boolean {
    return this.#elsewhere.has(trackedPath)
  }

  forget(trackedPath: string): void {
    this.#versions.delete(trackedPath)
    this.#elsewhere.delete(trackedPath)
    this.wantAll(trackedPath)
  }

  /** The paths and patterns wanted of a tracked path; undefined: all. */
  onlyOf(trackedPath: string): readonly string[] | undefined {
    return this.#only.get(trackedPath)
  }

  /** Whether a path inside `trackedPath` may be absent without being deleted. */
  isLeftOut(trackedPath: string, path: string): boolean {
    const only = this.#only.get(trackedPath)
    if (only === undefined) return false
    let filter = this.#filters.get(trackedPath)
    if (filter === undefined) {
      filter = new PathFilter(only)
      this.#filters.set(trackedPath, filter)
    }
    return !filter.matches(path)
  }

  /** Some of a tracked path was brought: from now on these are wanted too. */
  want(trackedPath: string, paths: readonly string[]): void {
    const wanted = new Set([...(this.#only.get(trackedPath) ?? []), ...paths])
    this.#only.set(trackedPath, [...wanted])
    this.#filters.delete(trackedPath)
  }

  /** All of a tracked path was brought. */
  wantAll(trackedPath: string): void {
    this.#only.delete(trackedPath)
    this.#filters.delete(trackedPath)
  }

  rename(from: string, to: string): void {
    const version = this.#versions.get(from)
    this.#versions.delete(from)
    if (version === undefined) this.#versions.delete(to)
    else this.#versions.set(to, version)
    if (this.#elsewhere.delete(from)) this.#elsewhere.add(to)
    const only = this.#only.get(from)
    if (only === undefined) return
    this.#only.delete(from)
    const [before, after] = [patternOf(from), patternOf(to)]
    const moved = only.map((path) => (isAtOrBelow(path, before) ? after + path.slice(before.length) : path))
    this.#only.set(to, moved)
  }

  save(): void {
    mkdirSync(dirname(this.#path), { recursive: true })
    const temporary = `${this.#path}.${process.pid}.tmp`
    const saved: Saved = {
      versions: Object.fromEntries(this.#versions),
      only: Object.fromEntries(this.#only),
      elsewhere: [...this.#elsewhere],
    }
    writeFileSync(temporary, `${JSON.stringify(saved, undefined, 2)}\n`)
    renameSync(temporary, this.#path)
  }
}
