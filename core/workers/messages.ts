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
  /** Of an error of the operating system: what its message, and whoever translates it, goes by. */
  system: { code?: string; syscall?: string; path?: string } | undefined
  message: string
  hint: string | undefined
  retryable: boolean
  stack: string | undefined
}

export function packError(error: unknown): PackedError {
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  if (error instanceof VarveError) {
    const { code, hint, retryable } = error
    return { code, system: undefined, message, hint, retryable, stack }
  }
  return { code: undefined, system: systemPart(error), message, hint: undefined, retryable: false, stack }
}

function systemPart(error: unknown): PackedError['system'] {
  const { code, syscall, path } = (error ?? {}) as NodeJS.ErrnoException
  if (code === undefined) return undefined
  return { code, ...(syscall !== undefined && { syscall }), ...(path !== undefined && { path }) }
}

export function unpackError(packed: PackedError): Error {
  const { code, system, message, hint, retryable, stack } = packed
  const error =
    code === undefined
      ? Object.assign(new Error(message), system)
      : new VarveError(code, message, { hint, retryable })
  if (stack !== undefined) error.stack = stack
  return error
}
