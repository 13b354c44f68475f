import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { isAtOrBelow, PathFilter } from '../path-filter.ts'

/**
 * What this worktree's user asked to have of each tracked path, where that is not all of it: after
 * `varve pull data/train`, the rest of `data` is left out, not deleted. One small file for each worktree.
 */
export class WorkspaceState {
  readonly #path: string
  readonly #only: Map<string, string[]>
  readonly #filters = new Map<string, PathFilter>()

  private constructor(path: string, only: Map<string, string[]>) {
    this.#path = path
    this.#only = only
  }

  /** A file that is missing or damaged says that nothing is partial. */
  static open(path: string): WorkspaceState {
    try {
      const { only } = JSON.parse(readFileSync(path, 'utf8')) as { only: Record<string, string[]> }
      return new WorkspaceState(path, new Map(Object.entries(only)))
    } catch {
      return new WorkspaceState(path, new Map())
    }
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
    const only = this.#only.get(from)
    if (only === undefined) return
    this.#only.delete(from)
    const moved = only.map((path) => (isAtOrBelow(path, from) ? to + path.slice(from.length) : path))
    this.#only.set(to, moved)
  }

  save(): void {
    mkdirSync(dirname(this.#path), { recursive: true })
    const temporary = `${this.#path}.${process.pid}.tmp`
    writeFileSync(temporary, `${JSON.stringify({ only: Object.fromEntries(this.#only) }, undefined, 2)}\n`)
    renameSync(temporary, this.#path)
  }
}
