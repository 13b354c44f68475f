import fs from 'node:fs'
import path from 'node:path'
import { varve } from './peers/varve.mjs'
import { removeTree } from './remove-tree.mjs'
import { Workbench } from './workbench.mjs'

const timeoutMs = 10 * 60_000

/**
 * Measures Varve and one other tool step by step, turn and turn about, until each step has its pairs. Gives by step
 * the runs of both; `failure` says what a tool could not do, and ends its case.
 *
 * A round takes new workbenches through the steps. What can be repeated is repeated on the spot; for what cannot, there
 * are more rounds, which end where nothing is left to measure.
 */
export async function runCase({ steps, isTrashKept = false }, other, { folder, env, pairs, say }) {
  const trash = path.join(folder, 'trash')
  const emptyTrash = () => {
    if (!isTrashKept) removeTree(trash)
    fs.mkdirSync(trash, { recursive: true })
  }
  emptyTrash()
  const rows = Object.fromEntries(steps.map(({ key }) => [key, { varve: [], other: [] }]))
  const isMeasured = (step) => other[step.key] !== undefined || other.isBaseline === true
  const isWanting = (step) =>
    isMeasured(step) && rows[step.key].varve.length < pairsWanted(rows[step.key], pairs)

  for (let last = steps.findLastIndex(isWanting); last !== -1; last = steps.findLastIndex(isWanting)) {
    const ours = new Workbench(varve, { folder, trash, env })
    const theirs = new Workbench(other, { folder, trash, env })
    await ours.open()
    try {
      await theirs.open()
    } catch (error) {
      return { rows, failure: failureOf('begin', error) }
    }
    for (const step of steps.slice(0, last + 1)) {
      const isOnlyMeasured = step.isRepeatable && step.edit === undefined
      if (isOnlyMeasured && !isWanting(step)) continue
      do {
        await ours.edit(step)
        await theirs.edit(step)
        const run = await ours.run(step, { timeoutMs })
        if (isMeasured(step)) rows[step.key].varve.push(run)
        say(`${step.title}: varve ${run.seconds} s`)
        if (!theirs.can(step)) continue
        try {
          const run = await theirs.run(step, { timeoutMs })
          rows[step.key].other.push(run)
          say(`${step.title}: ${other.name} ${run.seconds} s`)
        } catch (error) {
          return { rows, failure: failureOf(step.key, error) }
        }
        emptyTrash()
      } while (step.isRepeatable && isWanting(step))
    }
    await ours.close()
    await theirs.close()
    emptyTrash()
  }
  return { rows }
}

/** Seven pairs of what takes under 20 s, three under a minute, one of what takes longer. */
function pairsWanted({ varve, other }, pairs) {
  if (varve.length === 0) return 1
  if (pairs !== undefined) return pairs
  const seconds = Math.max(varve[0].seconds, other[0]?.seconds ?? 0)
  if (seconds < 20) return 7
  return seconds < 60 ? 3 : 1
}

function failureOf(step, error) {
  return { step, message: error.message }
}
