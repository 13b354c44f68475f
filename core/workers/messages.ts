import { type ErrorCode, VarveError } from '../errors.ts'

export type ToThread =
  | { type: 'run'; task: string; input: unknown }
  | { type: 'answer'; id: number; value: unknown }
  | { type: 'refusal'; id: number; error: PackedError }

export type FromThread =
  | { type: 'ask'; id: number; question: unknown }
  | { type: 'result'; value: unknown }
  | { type: 'failure'; error: PackedError }

/** An error as it crosses threads, where classes are lost. */
export type PackedError = {
  code: ErrorCode | undefined
  message: string
  hint: string | undefined
  retryable: boolean
  stack: string | undefined
}

export function packError(error: unknown): PackedError {
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  if (error instanceof VarveError) {
    return { code: error.code, message, hint: error.hint, retryable: error.retryable, stack }
  }
  return { code: undefined, message, hint: undefined, retryable: false, stack }
}

export function unpackError(packed: PackedError): Error {
  const { code, message, hint, retryable, stack } = packed
  const error = code === undefined ? new Error(message) : new VarveError(code, message, { hint, retryable })
  if (stack !== undefined) error.stack = stack
  return error
}
