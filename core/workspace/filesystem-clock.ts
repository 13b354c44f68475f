import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'
import { isSystemError } from './system-error.ts'

/**
 * The clock that a filesystem stamps files with. It is not the process's own: it moves in ticks (1 to 10 ms, on some
 * filesystems 1 or 2 s), and on a network it is the server's. So it is asked by writing to a probe file.
 */
export class FilesystemClock {
  readonly #probePath: string

  constructor(probePath: string) {
    this.#probePath = probePath
  }

  /** Milliseconds since 1970, or undefined where the probe cannot be written. */
  now(): number | undefined {
    try {
      const fd = openSync(this.#probePath, constants.O_WRONLY | constants.O_CREAT, 0o666)
      try {
        writeSync(fd, PROBE, 0, PROBE.length, 0)
        return fstatSync(fd).mtimeMs
      } finally {
        closeSync(fd)
      }
    } catch (error) {
      if (isSystemError(error)) return undefined
      throw error
    }
  }

  /** Blocks until the clock is later than `timeMs`, or `timeoutMs` have passed; gives the time that it is then. */
  waitPast(timeMs: number, timeoutMs: number): number | undefined {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const now = this.now()
      if (now === undefined || now > timeMs || performance.now() >= deadline) return now
      Atomics.wait(SLEEPER, 0, 0, 1)
    }
  }
}

const PROBE = Buffer.from('.')
const SLEEPER = new Int32Array(new SharedArrayBuffer(4))
