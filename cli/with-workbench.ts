import { availableParallelism } from 'node:os'
import { Workbench } from '../core/operations/workbench.ts'
import type { RequestCounts } from '../remotes/with-counting.ts'
import type { CommandContext } from './command.ts'

/** Beyond this, more threads only wait for the disk. */
const MOST_THREADS = 8

/** Opens the project that the command runs in, with remotes, threads, progress and Ctrl-C wired to it. */
export async function withWorkbench<T>(
  context: Pick<CommandContext, 'cwd' | 'output' | 'signal'>,
  work: (workbench: Workbench, requests: () => RequestCounts) => Promise<T>,
): Promise<T> {
  const counted: RequestCounts[] = []
  const surroundings = {
    async openRemote(url: string, options: { baseFolder: string }) {
      const [{ openRemote }, { withCounting }] = await Promise.all([
        import('../remotes/open.ts'),
        import('../remotes/with-counting.ts'),
      ])
      const { remote, counts } = withCounting(await openRemote(url, options))
      counted.push(counts)
      return remote
    },
    workerScript: new URL('./worker.js', import.meta.url),
    threads: Math.min(MOST_THREADS, availableParallelism()),
    onProgress: context.output.progress().report,
    signal: context.signal,
  }
  return Workbench.with(context.cwd, surroundings, (workbench) => work(workbench, () => sum(counted)))
}

function sum(all: readonly RequestCounts[]): RequestCounts {
  const total = { stat: 0, read: 0, write: 0, list: 0, remove: 0, bytesRead: 0, bytesWritten: 0 }
  for (const counts of all) {
    for (const key of Object.keys(total) as (keyof RequestCounts)[]) total[key] += counts[key]
  }
  return total
}
