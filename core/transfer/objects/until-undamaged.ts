import { VarveError } from '../../errors.ts'

/** Told of what had arrived damaged, once it is here undamaged. What stays damaged is an error. */
export type OnMended = (damage: VarveError) => void

/** A byte that was turned on its way is another one the next time; one that is bad where it lies stays so. */
export const MOST_COPIES = 4

/** Reads and verifies; what comes damaged is read again. @throws what `read` throws */
export async function untilUndamaged<T>(read: () => Promise<T>, onMended: OnMended | undefined): Promise<T> {
  let damage: VarveError | undefined
  for (let copy = 1; ; copy++) {
    try {
      const value = await read()
      if (damage !== undefined) onMended?.(damage)
      return value
    } catch (error) {
      if (copy === MOST_COPIES || !isDamage(error)) throw error
      damage = error
    }
  }
}

export function isDamage(error: unknown): error is VarveError {
  return error instanceof VarveError && (error.code === 'CORRUPT' || error.code === 'MALFORMED')
}
