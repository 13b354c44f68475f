import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, test } from 'vitest'
import { digestOf, hexOf } from '../../../core/content-id.ts'
import { VarveError } from '../../../core/errors.ts'
import type { PackName } from '../../../core/format/pack.ts'
import { Store } from '../../../core/store/store.ts'
import { StoreWriter } from '../../../core/store/store-writer.ts'
import { verifyTask } from '../../../core/store/verify-task.ts'
import {
  createWorkers,
  interrupted,
  type Task,
  throwIfAborted,
  type Workers,
} from '../../../core/workers/workers.ts'
import { noise } from '../../support/build-store.ts'
import { ingestFiles, listNumbered } from '../../support/ingest-files.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { varveErrorFrom, varveErrorOf } from '../../support/varve-error.ts'

const script = new URL('../../../dist/worker.js', import.meta.url)

let workers: Workers | undefined
afterEach(() => workers?.close())

function make(options: { threads: number; script?: URL }): Workers {
  workers = createWorkers(options)
  return workers
}

/** A worker entry of the test's own: it does what the task's name says. */
function entryThat(behaves: string): URL {
  const path = join(makeTemporaryFolder(), 'entry.mjs')
  writeFileSync(
    path,
    `import { parentPort as port } from 'node:worker_threads'
     const error = (change) => ({ code: undefined, system: undefined, message: 'x', retryable: false, ...change })
     port.on('message', (message) => { ${behaves} })`,
  )
  return pathToFileURL(path)
}

const named: Task<undefined, string, string, string> = { name: 'named', run: async () => 'inline' }
const run = (answer: (question: string) => string = () => '', threads = 1) =>
  workers!.run(named, undefined, answer, { threads })

describe('in this thread', () => {
  const counting: Task<{ most: number }, number[], number | undefined, number[]> = {
    name: 'counting',
    async run({ most }, ask) {
      const got: number[] = []
      for (;;) {
        const next = await ask(got)
        if (next === undefined || next > most) return got
        got.push(next)
      }
    },
  }

  test('a task asks, is answered, and gives its result', async () => {
    let next = 0
    const results = await make({ threads: 4 }).run(counting, { most: 5 }, () => next++, { threads: 0 })
    expect(results).toEqual([[0, 1, 2, 3, 4, 5]])
  })

  test('several pull from one answer', async () => {
    let next = 0
    const results = await make({ threads: 3 }).run(
      counting,
      { most: 100 },
      () => (next < 30 ? next++ : undefined),
      { threads: 9 },
    )
    expect(results).toHaveLength(3)
    expect(results.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i))
  })

  test('a failing answer ends all, and is what is thrown', async () => {
    const failure = new VarveError('NO_SPACE', 'full', { hint: 'Free some.' })
    let next = 0
    let asked = 0
    const answer = async () => {
      asked++
      await Promise.resolve()
      if (next === 7) throw failure
      return next++
    }
    const running = make({ threads: 3 }).run(counting, { most: 1000 }, answer, { threads: 3 })
    expect(await varveErrorFrom(running)).toBe(failure)
    expect(asked).toBeLessThan(12)
  })

  test('a failing task refuses the others their next answer', async () => {
    const bug = new TypeError('a bug')
    let ended = 0
    const task: Task<undefined, 'first' | 'more', boolean, void> = {
      name: 'one of them fails',
      async run(_, ask) {
        if (await ask('first')) throw bug
        try {
          for (;;) await ask('more')
        } finally {
          ended++
        }
      },
    }
    let isFirst = true
    const answer = (question: 'first' | 'more') => {
      if (question === 'more') return false
      const is = isFirst
      isFirst = false
      return is
    }
    await expect(make({ threads: 3 }).run(task, undefined, answer, { threads: 3 })).rejects.toBe(bug)
    expect(ended).toBe(2)
  })

  test('an answer is told which of them asks', async () => {
    const asked: number[] = []
    const answer = (_: number[], thread: number) => {
      asked.push(thread)
      return undefined
    }
    await make({ threads: 3 }).run(counting, { most: 1 }, answer, { threads: 3 })
    expect(asked).toEqual([0, 1, 2])
  })

  test.each(['fails', 'is refused'])('none waits for an answer for ever when another %s', async (how) => {
    const failure = new VarveError('CORRUPT', 'bad')
    let waiting = 0
    const task: Task<undefined, string, void, void> = {
      name: 'all but the last wait',
      async run(_, ask) {
        await ask('begin')
        if (how === 'fails' && waiting === 2) throw failure
        await ask('wait')
      },
    }
    const answer = (question: string, thread: number) => {
      if (question === 'begin' && thread < 2) return
      if (question === 'begin') return new Promise<void>((resolve) => setImmediate(resolve))
      if (thread === 2) throw failure
      waiting++
      return new Promise<void>(() => {})
    }
    const running = make({ threads: 3 }).run(task, undefined, answer, { threads: 3 })
    expect(await varveErrorFrom(running)).toBe(failure)
    expect(waiting).toBe(2)
  })

  test('answers are let go of while the run goes on', async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const answers: WeakRef<object>[] = []
    let held = Number.NaN
    const task: Task<undefined, 'one' | 'count', object, void> = {
      name: 'many answers',
      async run(_, ask) {
        for (let i = 0; i < 1000; i++) await ask('one')
        await ask('count')
      },
    }
    const answer = async (question: 'one' | 'count') => {
      if (question === 'one') {
        const value = { bytes: new Uint8Array(1000) }
        answers.push(new WeakRef(value))
        return value
      }
      // What was dereferenced is kept until the turn is over.
      await new Promise((resolve) => setImmediate(resolve))
      collect()
      held = answers.filter((one) => one.deref() !== undefined).length
      return {}
    }
    await make({ threads: 1 }).run(task, undefined, answer, { threads: 0 })
    expect(answers).toHaveLength(1000)
    expect(held).toBeLessThan(10)
  })
})

describe('in threads', () => {
  test('those that are at work count as started', async () => {
    const log = join(makeTemporaryFolder(), 'log')
    const entry = join(makeTemporaryFolder(), 'entry.mjs')
    writeFileSync(
      entry,
      `import { appendFileSync } from 'node:fs'
       import { parentPort as port } from 'node:worker_threads'
       appendFileSync(${JSON.stringify(log)}, 'x')
       port.on('message', ({ type }) =>
         port.postMessage(type === 'run' ? { type: 'ask', id: 1, question: '' } : { type: 'result', value: 'done' }))`,
    )
    const two = make({ threads: 2, script: pathToFileURL(entry) })
    const answer = () => {
      two.start(2)
      return ''
    }
    expect(await run(answer, 2)).toEqual(['done', 'done'])
    two.start(2)
    expect(await run(answer, 2)).toEqual(['done', 'done'])
    // One too many would tell once it has loaded.
    await setTimeout(500)
    expect(readFileSync(log, 'utf8')).toBe('xx')
  })

  test('of the built program, files are taken into the store, and packs verified', async () => {
    expect(existsSync(script)).toBe(true)
    const root = makeTemporaryFolder()
    const contents = Array.from({ length: 300 }, (_, i) => noise(20_000 + i, i + 1))
    contents.push(noise(9 << 20, 1000))
    for (const [index, content] of contents.entries()) writeFileSync(join(root, `f${index}`), content)
    const files = listNumbered(root, contents.length)
    const store = Store.open(join(makeTemporaryFolder(), 'store'))
    const writer = new StoreWriter(store)
    const digests = new Map<number, string>()
    const threaded = make({ threads: 2, script })
    await ingestFiles(files, {
      workers: threaded,
      root,
      storeRoot: store.root,
      writer,
      onFile: ({ index }, { digest }) => digests.set(index, hexOf(digest)),
    })
    writer.finish()
    for (const [index, content] of contents.entries()) {
      expect(digests.get(index)).toBe(hexOf(digestOf(content)))
      const chunks = [...store.chunks(digestOf(content))]
      const read = Buffer.concat(chunks.map(({ digest }) => store.readEntry('chunk', digest)))
      expect(read.equals(content)).toBe(true)
    }
    const names = [...store.index.packs()]
    let problems = 0
    let verified = 0
    await threaded.run(
      verifyTask,
      { root: store.root, full: true },
      ({ done }) => {
        verified += done.length
        problems += done.flatMap((pack) => pack.problems).length
        const next = names.pop()
        return next === undefined ? undefined : [next]
      },
      { threads: 2 },
    )
    expect([verified, problems]).toEqual([store.index.packs().size, 0])
    store.close()
  })

  test('a failing answer comes back out as what it was', async () => {
    const failure = new VarveError('INTERRUPTED', 'stopped', { hint: 'Again.' })
    const threaded = make({ threads: 2, script })
    const answer = () => {
      throw failure
    }
    const running = threaded.run(verifyTask, { root: makeTemporaryFolder(), full: false }, answer, {
      threads: 2,
    })
    expect(await varveErrorFrom(running)).toBe(failure)
    // The threads that ended in order are used again.
    const gone = 'a'.repeat(64) as PackName
    let problems: string[] = []
    let asked = 0
    await threaded.run(
      verifyTask,
      { root: makeTemporaryFolder(), full: false },
      ({ done }) => {
        problems = [...problems, ...done.flatMap((pack) => pack.problems.map(({ message }) => message))]
        return asked++ === 0 ? [gone] : undefined
      },
      { threads: 1 },
    )
    expect(problems).toEqual([expect.stringContaining('is gone')])
  })

  test('an error of ours keeps its class, code, hint and whether to retry', async () => {
    const entry = entryThat(`port.postMessage({ type: 'failure',
      error: error({ code: 'CORRUPT', message: 'bad', hint: 'Do.', retryable: true }) })`)
    make({ threads: 1, script: entry })
    const error = await varveErrorFrom(run())
    expect(error).toMatchObject({ code: 'CORRUPT', message: 'bad', hint: 'Do.', retryable: true })
  })

  test('a thread that dies, or ends by itself, is an error and no hang', async () => {
    make({ threads: 1, script: entryThat(`process.exit(1)`) })
    await expect(run()).rejects.toThrow('the worker thread for named ended by itself')
    await workers!.close()
    make({ threads: 1, script: entryThat(`throw new RangeError('out of bounds')`) })
    await expect(run()).rejects.toThrow('out of bounds')
  })

  test('a thread that dies while another waits for an answer ends the run', async () => {
    const entry = entryThat(`
      if (message.type === 'answer' && message.value === 'die') process.exit(1)
      if (message.type === 'refusal') port.postMessage({ type: 'failure', error: message.error })
      else port.postMessage({ type: 'ask', id: 1, question: '' })`)
    make({ threads: 2, script: entry })
    const answer = (_: string, thread: number) => (thread === 0 ? new Promise<string>(() => {}) : 'die')
    await expect(workers!.run(named, undefined, answer, { threads: 2 })).rejects.toThrow('ended by itself')
  })

  test('a thread that dies ends the others', async () => {
    // The first to be answered dies; the other would ask for ever.
    const entry = entryThat(`
      if (message.type === 'answer' && message.value === 'die') process.exit(1)
      if (message.type === 'refusal') port.postMessage({ type: 'failure', error: message.error })
      else port.postMessage({ type: 'ask', id: 1, question: '' })`)
    make({ threads: 2, script: entry })
    let answers = 0
    await expect(run(() => (answers++ === 5 ? 'die' : 'go on'), 2)).rejects.toThrow('ended by itself')
  })

  test('a thread that dies when it has nothing to do is not given another task', async () => {
    const entry = entryThat(
      `port.postMessage({ type: 'result', value: 'done' }); setTimeout(() => process.exit(0), 1)`,
    )
    make({ threads: 1, script: entry })
    expect(await run()).toEqual(['done'])
    await setTimeout(300)
    expect(await run()).toEqual(['done'])
  })

  test('a thread that fails when it has nothing to do does not end the program', async () => {
    const entry = entryThat(
      `port.postMessage({ type: 'result', value: 'done' }); setTimeout(() => { throw new Error('late') }, 1)`,
    )
    make({ threads: 1, script: entry })
    expect(await run()).toEqual(['done'])
    await setTimeout(300)
    expect(await run()).toEqual(['done'])
  })
})

test('throwIfAborted throws what says that the user ended it', () => {
  expect(() => throwIfAborted(undefined)).not.toThrow()
  expect(() => throwIfAborted(new AbortController().signal)).not.toThrow()
  expect(varveErrorOf(() => throwIfAborted(AbortSignal.abort()))).toMatchObject({
    code: 'INTERRUPTED',
    hint: interrupted().hint,
  })
})
