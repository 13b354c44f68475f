import type { Fault } from './fault.ts'

type Refusal = { status: number; code: string; message: string }

const REFUSALS: Partial<Readonly<Record<Fault, Refusal>>> = {
  'status-500': {
    status: 500,
    code: 'InternalError',
    message: 'We encountered an internal error. Please try again.',
  },
  'status-503-slowdown': { status: 503, code: 'SlowDown', message: 'Please reduce your request rate.' },
  'status-429': { status: 429, code: 'TooManyRequests', message: 'Please reduce your request rate.' },
}

/** The answer that a fault gives in place of the server's, if it is of that kind. */
export function refusalOf(fault: Fault | undefined): { status: number; body: string } | undefined {
  const refusal = fault && REFUSALS[fault]
  if (refusal === undefined) return undefined
  const { status, code, message } = refusal
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`
  return { status, body }
}
