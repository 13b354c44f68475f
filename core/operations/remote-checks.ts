import { VarveError } from '../errors.ts'

export type CheckName =
  | 'stat'
  | 'write'
  | 'create'
  | 'race'
  | 'read'
  | 'range'
  | 'list'
  | 'remove'
  | 'throughput'
  | 'parallel'

export type CheckResult = {
  check: CheckName
  /** `limited`: the place cannot do it, and varve does without. */
  outcome: 'passed' | 'limited' | 'failed' | 'skipped'
  /** Of one request, with its bytes. */
  latencyMs: number | undefined
  /** What is limited, or why it was skipped where that is not because another check failed. */
  note: string | undefined
  error: VarveError | undefined
}

/** Gives what is limited; nothing where all is well. */
type Attempt = () => Promise<string | undefined> | Promise<void>

/** What was asked of a remote, in order, and how it answered. */
export class RemoteChecks {
  readonly results: CheckResult[] = []
  #requests = 0
  #requestsMs = 0

  /** One request within a check: its latency counts. */
  async time<T>(request: () => Promise<T>): Promise<T> {
    const started = performance.now()
    const answer = await request()
    this.#requestsMs += performance.now() - started
    this.#requests++
    return answer
  }

  /** Whether it passed, within a limit or without. @throws INTERRUPTED, and what is no VarveError */
  async attempt(check: CheckName, attempt: Attempt): Promise<boolean> {
    this.#requests = 0
    this.#requestsMs = 0
    try {
      const note = (await attempt()) ?? undefined
      const latencyMs = this.#requests === 0 ? undefined : this.#requestsMs / this.#requests
      const outcome = note === undefined ? 'passed' : 'limited'
      this.results.push({ check, outcome, latencyMs, note, error: undefined })
      return true
    } catch (error) {
      if (!(error instanceof VarveError) || error.code === 'INTERRUPTED') throw error
      this.results.push({ check, outcome: 'failed', latencyMs: undefined, note: undefined, error })
      return false
    }
  }

  async attemptIf(isPossible: boolean, check: CheckName, attempt: Attempt): Promise<boolean> {
    if (isPossible) return this.attempt(check, attempt)
    this.skip(check)
    return false
  }

  skip(check: CheckName, note?: string): void {
    this.results.push({ check, outcome: 'skipped', latencyMs: undefined, note, error: undefined })
  }
}

export function answersWrongly(what: string): VarveError {
  return new VarveError('REMOTE_FAILED', `the remote ${what}`, {
    hint: 'Use a place that keeps to this: varve relies on it.',
  })
}
