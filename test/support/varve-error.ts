import { expect } from 'vitest'
import { VarveError } from '../../core/errors.ts'

/** The VarveError that `act` throws; fails where it throws none, or anything else. */
export function varveErrorOf(act: () => unknown): VarveError {
  const outcome = outcomeOf(act)
  if (outcome instanceof VarveError) return outcome
  return expect.fail(`gave ${JSON.stringify(outcome)} where an error was expected`)
}

/** What `act` gives, or the VarveError that it throws; anything else that is thrown passes through. */
export function outcomeOf<T>(act: () => T): T | VarveError {
  try {
    return act()
  } catch (error) {
    if (error instanceof VarveError) return error
    throw error
  }
}

/** The VarveError that `promise` is rejected with. */
export async function varveErrorFrom(promise: Promise<unknown>): Promise<VarveError> {
  let value: unknown
  try {
    value = await promise
  } catch (error) {
    if (error instanceof VarveError) return error
    throw error
  }
  return expect.fail(`gave ${JSON.stringify(value)} where an error was expected`)
}
