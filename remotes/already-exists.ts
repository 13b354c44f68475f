import { VarveError } from '../core/errors.ts'
import type { Key } from '../core/remote.ts'

export function alreadyExists(key: Key, label: string): VarveError {
  return new VarveError('ALREADY_EXISTS', `${key} exists already in ${label}`)
}
