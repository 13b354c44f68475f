import { describe, expect, test } from 'vitest'
import { RequestSlots } from '../../../remotes/request-slots.ts'

type Slot = Awaited<ReturnType<RequestSlots['take']>>

async function takeAll(slots: RequestSlots, count: number): Promise<Slot[]> {
  return Promise.all(Array.from({ length: count }, () => slots.take()))
}

test('no more are given out than there are, and those who wait get theirs in turn', async () => {
  const slots = new RequestSlots(2)
  const [first, second] = await takeAll(slots, 2)
  const order: string[] = []
  const third = slots.take().then((slot) => {
    order.push('third')
    return slot
  })
  const fourth = slots.take().then((slot) => {
    order.push('fourth')
    return slot
  })
  await new Promise(setImmediate)
  expect(order).toEqual([])
  slots.give(first!, 'done')
  await third
  await new Promise(setImmediate)
  expect(order).toEqual(['third'])
  slots.give(second!, 'failed')
  await fourth
  expect(order).toEqual(['third', 'fourth'])
})

describe('the number', () => {
  test('halves when one is refused, once for a burst', async () => {
    const slots = new RequestSlots(16)
    for (const slot of await takeAll(slots, 16)) slots.give(slot, 'refused')
    expect(slots.limit).toBe(8)
  })

  test('halves again for one that was begun afterwards, down to one', async () => {
    const slots = new RequestSlots(16)
    for (const limit of [8, 4, 2, 1, 1, 1]) {
      slots.give(await slots.take(), 'refused')
      expect(slots.limit).toBe(limit)
    }
  })

  test('grows by about one for each round that is done, up to the most', async () => {
    const slots = new RequestSlots(5)
    for (let halvings = 0; halvings < 3; halvings++) slots.give(await slots.take(), 'refused')
    const limits: number[] = []
    for (let round = 0; round < 8; round++) {
      limits.push(slots.limit)
      for (const slot of await takeAll(slots, slots.limit)) slots.give(slot, 'done')
    }
    expect(limits[0]).toBe(1)
    for (let round = 1; round < limits.length; round++) {
      expect([0, 1]).toContain(limits[round]! - limits[round - 1]!)
    }
    expect(limits.at(-1)).toBe(5)
  })

  test('is not changed by what fails for another reason', async () => {
    const slots = new RequestSlots(4)
    slots.give(await slots.take(), 'refused')
    for (let round = 0; round < 50; round++) slots.give(await slots.take(), 'failed')
    expect(slots.limit).toBe(2)
  })

  test('that has shrunk below those that are out lends none until enough are back', async () => {
    const slots = new RequestSlots(4)
    const out = await takeAll(slots, 4)
    let isServed = false
    const waiting = slots.take().then(() => {
      isServed = true
    })
    slots.give(out[0]!, 'refused')
    slots.give(out[1]!, 'failed')
    await new Promise(setImmediate)
    expect(isServed).toBe(false)
    slots.give(out[2]!, 'failed')
    await waiting
    expect(isServed).toBe(true)
  })
})
