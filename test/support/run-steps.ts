import { setImmediate } from 'node:timers/promises'

/**
 * Runs `count` bodies beside each other, each of which goes on from its `pause()` when it is chosen: by the next of
 * `choices` out of those that pause, by turns when there are no more. So one order of events is one list of numbers.
 * Throws where none pauses and not all have ended: they wait for each other.
 */
export async function runSteps(
  count: number,
  choices: Iterable<number>,
  body: (index: number, pause: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const paused: (() => void)[] = []
  const pause = () => new Promise<void>((resolve) => paused.push(resolve))
  let ended = 0
  let failure: { error: unknown } | undefined
  for (let index = 0; index < count; index++) {
    body(index, pause).then(
      () => ended++,
      (error) => {
        failure ??= { error }
      },
    )
  }
  const order = choices[Symbol.iterator]()
  for (;;) {
    await setImmediate()
    if (failure !== undefined) throw failure.error
    if (ended === count) return
    if (paused.length === 0) throw new Error('a deadlock: all that have not ended wait for each other')
    const choice = order.next()
    const [resume] = paused.splice(choice.done ? 0 : choice.value % paused.length, 1)
    resume!()
  }
}
