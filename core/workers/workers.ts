import { Worker } from 'node:worker_threads'
import { VarveError } from '../errors.ts'
import { type FromThread, packError, type ToThread, unpackError } from './messages.ts'

/**
 * Work that can run in a thread. It pulls what it needs by asking the thread that started it, and waits for
 * each answer: that is both how work is shared out and what keeps it from running ahead.
 */
export type Task<Input, Question, Answer, Result> = {
  name: string
  run(input: Input, ask: Ask<Question, Answer>): Promise<Result>
  /** The buffers in an answer that move to the thread and are gone here; all else in it is copied. */
  buffersIn?: (answer: Answer) => ArrayBuffer[]
}

export type Ask<Question, Answer> = (question: Question, transfer?: ArrayBuffer[]) => Promise<Answer>

export interface Workers {
  /**
   * Runs `task` in `threads` threads at once (0: in this one), all of them pulling from one `answer`, which is told
   * which of them asks, and gives their results. When one fails, the others are refused the answer that they wait for,
   * or their next one, and so end too.
   */
  run<Input, Question, Answer, Result>(
    task: Task<Input, Question, Answer, Result>,
    input: Input,
    answer: (question: Question, thread: number) => Answer | Promise<Answer>,
    options: { threads: number },
  ): Promise<Result[]>
  /** How many threads pay on this machine. */
  readonly threads: number
  /** Starts threads until there are that many, at work or not: what is run soon after need not wait for them. */
  start(threads: number): void
  close(): Promise<void>
}

/** `script` is the built worker entry; without it everything runs in this thread. */
export function createWorkers(options: { threads: number; script?: URL }): Workers {
  const { threads, script } = options
  const idle: Worker[] = []
  let atWork = 0

  /** What goes wrong in a thread that has nothing to do is no one's: one that dies so is not given a task. */
  function keepIdle(worker: Worker): void {
    worker.on('error', () => {})
    worker.once('exit', () => void idle.splice(0, idle.length, ...idle.filter((one) => one !== worker)))
    idle.push(worker)
  }

  async function runInThread<Answer>(
    {
      name,
      buffersIn,
    }: { name: string; buffersIn?: ((answer: Awaited<Answer>) => ArrayBuffer[]) | undefined },
    input: unknown,
    answer: (question: never) => Answer,
  ): Promise<unknown> {
    const worker = idle.pop() ?? new Worker(script!)
    atWork++
    let healthy = false
    try {
      return await new Promise((resolve, reject) => {
        worker.removeAllListeners()
        worker.on('error', reject)
        worker.on('exit', () => reject(new Error(`the worker thread for ${name} ended by itself`)))
        worker.on('message', async (message: FromThread) => {
          if (message.type === 'ask') {
            const { id } = message
            try {
              const value = await answer(message.question as never)
              worker.postMessage({ type: 'answer', id, value } satisfies ToThread, buffersIn?.(value) ?? [])
            } catch (error) {
              worker.postMessage({ type: 'refusal', id, error: packError(error) } satisfies ToThread)
            }
            return
          }
          healthy = true
          if (message.type === 'result') resolve(message.value)
          else reject(unpackError(message.error))
        })
        worker.postMessage({ type: 'run', task: name, input } satisfies ToThread)
      })
    } finally {
      atWork--
      worker.removeAllListeners()
      if (healthy) keepIdle(worker)
      else {
        worker.on('error', () => {})
        void worker.terminate()
      }
    }
  }

  return {
    threads,
    start(wanted) {
      if (script === undefined) return
      while (idle.length + atWork < Math.min(wanted, threads)) keepIdle(new Worker(script))
    },
    async run(task, input, answer, { threads: wanted }) {
      let failure: unknown
      // A question may wait for the work of a thread that fails. One promise of failure for all questions would hold
      // each answer until the end.
      const refusals = new Set<(error: unknown) => void>()
      const fail = (error: unknown) => {
        // Kept as it is: what comes back from a thread is a copy without its class and cause.
        failure ??= error
        for (const refuse of refusals) refuse(failure)
      }
      const answerUnlessFailed = async (question: never, thread: number) => {
        if (failure !== undefined) throw failure
        let refuse: (error: unknown) => void = () => {}
        try {
          return await new Promise<Awaited<ReturnType<typeof answer>>>((resolve, reject) => {
            refuse = reject
            refusals.add(refuse)
            Promise.resolve(answer(question, thread)).then(resolve, reject)
          })
        } catch (error) {
          fail(error)
          throw error
        } finally {
          refusals.delete(refuse)
        }
      }
      const runOne = async (thread: number) => {
        try {
          const ask = (question: unknown) => answerUnlessFailed(question as never, thread)
          const inThread = wanted > 0 && script !== undefined
          const result = inThread ? await runInThread(task, input, ask) : await task.run(input, ask)
          return result as Awaited<ReturnType<typeof task.run>>
        } catch (error) {
          fail(error)
          throw error
        }
      }
      const runs = Array.from({ length: Math.max(1, Math.min(wanted, threads)) }, (_, thread) =>
        runOne(thread),
      )
      const settled = await Promise.allSettled(runs)
      if (failure !== undefined) throw failure
      return settled.map((one) => {
        if (one.status === 'rejected') throw one.reason
        return one.value
      })
    },
    async close() {
      await Promise.all(idle.splice(0).map((worker) => worker.terminate()))
    },
  }
}

/** An error for a command that the user ended. */
export function interrupted(): VarveError {
  return new VarveError('INTERRUPTED', 'interrupted', {
    hint: 'Run the command again: what was finished is kept.',
  })
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw interrupted()
}
