import { encodePointer } from '../format/pointer.ts'
import type { GitObjectId } from '../git/object-id.ts'
import type { ReadPointer } from './read-pointers-leniently.ts'

/** A commit that changed a pointer, and what the pointer was before and after. */
export type LogStep = {
  /** Undefined: what the working tree has and HEAD does not. */
  commit: LogCommit | undefined
  path: string
  before: ReadPointer | undefined
  after: ReadPointer | undefined
  /** Of a renamed path: what it was called before. */
  from?: string
}

export type LogCommit = {
  commit: GitObjectId
  /** When it was authored: ISO 8601 with the author's offset from UTC. */
  date: string
  authorName: string
  authorEmail: string
  subject: string
}

/** Joins what one commit deleted at a path and added, the same, at another. */
export function pairRenamedSteps(steps: readonly LogStep[]): LogStep[] {
  const gone = new Map<string, LogStep>()
  for (const step of steps) {
    if (step.after === undefined) gone.set(keyOf(step, step.before), step)
  }
  const joined = new Set<LogStep>()
  const paired = steps.map((step) => {
    if (step.before !== undefined) return step
    const source = gone.get(keyOf(step, step.after))
    if (source === undefined || joined.has(source)) return step
    joined.add(source)
    return { ...step, before: source.before, from: source.path }
  })
  return paired.filter((step) => !joined.has(step))
}

function keyOf({ commit }: LogStep, read: ReadPointer | undefined): string {
  // A pointer that cannot be read is like no other.
  const text = read?.pointer === undefined ? '\0' : encodePointer(read.pointer)
  return `${commit?.commit ?? ''} ${text}`
}
