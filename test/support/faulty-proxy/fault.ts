export const FAULTS = [
  /** The connection is reset and nothing is forwarded. */
  'reset-before',
  /** The request does its work, and the connection is reset in place of an answer. */
  'reset-after',
  /** The connection is reset within the body of the answer. */
  'reset-midway',
  /** The answer ends early, by an orderly end of the connection. */
  'truncate',
  /** Nothing is forwarded and nothing answered, for `stallMs` or for ever; then all is well. */
  'stall',
  /** The same within the body of the answer. */
  'stall-midway',
  /** Nothing is forwarded; the answer is a server error, in the XML of S3. */
  'status-500',
  'status-503-slowdown',
  'status-429',
  /** One bit of the body of the answer is flipped. */
  'corrupt',
  /** One bit of the body of the request is flipped. */
  'corrupt-request',
] as const

export type Fault = (typeof FAULTS)[number]

/** How often each occurs, in proportion to the others. */
export type FaultWeights = Partial<Readonly<Record<Fault, number>>>

/** One of the faults that can be done to a request, by a number from 0 to 1. */
export function chooseFault(
  weights: FaultWeights,
  { random, hasBody }: { random: number; hasBody: boolean },
): Fault | undefined {
  const possible = FAULTS.filter((fault) => hasBody || fault !== 'corrupt-request')
  const sum = possible.reduce((total, fault) => total + (weights[fault] ?? 0), 0)
  let left = random * sum
  for (const fault of possible) {
    left -= weights[fault] ?? 0
    if (left < 0) return fault
  }
  return undefined
}
