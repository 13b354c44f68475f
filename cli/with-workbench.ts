import { availableParallelism } from 'node:os'
import type { RemoteConfig } from '../core/config/config.ts'
import type { VarveError } from '../core/errors.ts'
import { type RemoteSurroundings, Workbench } from '../core/operations/workbench.ts'
import type { ProgressEvent } from '../core/progress.ts'
import type { Remote } from '../core/remote.ts'
import type { RemoteToOpen } from '../remotes/open.ts'
import type { RequestCounts } from '../remotes/with-counting.ts'
import type { CommandContext } from './command.ts'
import { confirmOnTerminal } from './confirm-on-terminal.ts'
import { describeMended, tellRetries } from './render/describe-retry.ts'
import type { ProgressReporter } from './render/progress.ts'

/** Beyond this, more threads only wait for the disk. */
const MOST_THREADS = 8
/** Of requests at once, where the command has no say of its own. */
const USUAL_JOBS = 8

/** What a command uses in place of a remote that was opened. */
export type AdaptRemote = (remote: Remote, opened: RemoteToOpen) => Promise<Remote>

/**
 * Opens the project that the command runs in, with remotes, threads, progress and Ctrl-C wired to it. `jobs`: requests to
 * a remote at once.
 */
export async function withWorkbench<T>(
  context: Pick<CommandContext, 'cwd' | 'output' | 'signal'>,
  work: (workbench: Workbench, requests: () => RequestCounts) => Promise<T>,
  options: { jobs?: number; adapt?: AdaptRemote | undefined } = {},
): Promise<T> {
  const { cwd, output, signal } = context
  const { jobs = USUAL_JOBS, adapt } = options
  const counted: RequestCounts[] = []
  let progress: ProgressReporter | undefined = output.progress()

  /** No line may be drawn over the question. */
  async function confirm(question: string): Promise<boolean | undefined> {
    progress?.end()
    progress = undefined
    const answer = await confirmOnTerminal(question, signal)
    progress = output.progress()
    return answer
  }

  const surroundings = {
    async openRemote(remote: RemoteConfig, place: RemoteSurroundings) {
      const [{ admitRemote }, { openWrappedRemote }] = await Promise.all([
        import('./admit-remote.ts'),
        import('../remotes/open-wrapped.ts'),
      ])
      const toOpen = await admitRemote(remote, { ...place, confirm })
      const opened = await openWrappedRemote(toOpen, {
        jobs,
        signal,
        onRetry: tellRetries(output),
      })
      counted.push(opened.counts)
      return adapt === undefined ? opened.remote : adapt(opened.remote, toOpen)
    },
    workerScript: new URL('./worker.js', import.meta.url),
    threads: Math.min(MOST_THREADS, availableParallelism()),
    onMended: (error: VarveError) => output.warn(describeMended(error)),
    onProgress: (event: ProgressEvent) => progress?.report(event),
    signal,
  }
  return Workbench.with(cwd, surroundings, (workbench) => work(workbench, () => sum(counted)))
}

function sum(all: readonly RequestCounts[]): RequestCounts {
  const total = { stat: 0, read: 0, write: 0, list: 0, remove: 0, bytesRead: 0, bytesWritten: 0 }
  for (const counts of all) {
    for (const key of Object.keys(total) as (keyof RequestCounts)[]) total[key] += counts[key]
  }
  return total
}
