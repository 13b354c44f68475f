import { VarveError } from '../errors.ts'

/** Told of what arrived damaged, and is read again. */
export type OnDamage = (error: VarveError) => void

/** A byte that was turned on its way is another one the next time; one that is bad where it lies stays so. */
export const MOST_COPIES = 4

/** Reads and verifies; what comes damaged is read again. @throws what `read` throws */
export async function untilUndamaged<T>(read: () => Promise<T>, onDamage: OnDamage | undefined): Promise<T> {
  for (let copy = 1; ; copy++) {
    try {
      return await read()
    } catch (error) {
      if (copy === MOST_COPIES || !isDamage(error)) throw error
      onDamage?.(error)
    }
  }
}

export function isDamage(error: unknown): error is VarveError {
  return error instanceof VarveError && (error.code === 'CORRUPT' || error.code === 'MALFORMED')
}
