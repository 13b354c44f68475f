import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { VarveError } from '../core/errors.ts'

export type Terminal = { stdin: Readable & { isTTY?: boolean }; stderr: Writable & { isTTY?: boolean } }

/**
 * Asks a question whose answer is no unless the user types yes. Undefined where there is no terminal on both sides.
 * @throws INTERRUPTED
 */
export async function confirmOnTerminal(
  question: string,
  signal: AbortSignal,
  { stdin, stderr }: Terminal = process,
): Promise<boolean | undefined> {
  if (stdin.isTTY !== true || stderr.isTTY !== true) return undefined
  // Not as a terminal of its own: Ctrl-C then stays a signal.
  const lines = createInterface({ input: stdin, terminal: false })
  const forgetting = new AbortController()
  try {
    return await new Promise<boolean>((resolve, reject) => {
      const interrupt = () => reject(new VarveError('INTERRUPTED', 'interrupted while asking'))
      if (signal.aborted) return interrupt()
      signal.addEventListener('abort', interrupt, { signal: forgetting.signal })
      lines.once('line', (line) => resolve(/^\s*y(es)?\s*$/i.test(line)))
      lines.once('close', () => resolve(false))
      stderr.write(`${question} [y/N] `)
    })
  } finally {
    forgetting.abort()
    lines.close()
    stdin.pause()
  }
}
