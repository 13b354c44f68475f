import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, ftruncateSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { makeRepository } from '../support/git-fixture.ts'
import { cleanEnvironment, varve, varveProgram } from '../support/run-varve.ts'

const SIZE_BYTES = 2 ** 30
/** Of the whole process with all its threads; a file that is held whole takes more. */
const MOST_BYTES = 0.75 * SIZE_BYTES
const LOOK_MS = 10

/** Runs it, and gives the most memory that it ever had, as Linux counts. */
async function peakBytesOf(args: readonly string[], cwd: string): Promise<number> {
  const child = spawn(process.execPath, [varveProgram, ...args], {
    cwd,
    env: cleanEnvironment(),
    stdio: 'ignore',
  })
  const ended = once(child, 'close')
  let peakBytes = 0
  while (child.exitCode === null && child.signalCode === null) {
    peakBytes = Math.max(peakBytes, residentPeakBytes(child.pid!))
    await sleep(LOOK_MS)
  }
  expect(await ended).toEqual([0, null])
  return peakBytes
}

function residentPeakBytes(pid: number): number {
  try {
    const [, kibibytes = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kibibytes) * 1024
  } catch {
    return 0
  }
}

test.skipIf(process.platform !== 'linux')(
  'a file of 1 GiB goes in and comes out without being held whole',
  async () => {
    const root = makeRepository()
    await varve(['init'], { cwd: root })
    // A hole: read as zeros, and on no disk.
    const file = openSync(join(root, 'big.bin'), 'w')
    ftruncateSync(file, SIZE_BYTES)
    closeSync(file)
    const peaks = [await peakBytesOf(['add', 'big.bin'], root), await peakBytesOf(['status'], root)]
    rmSync(join(root, 'big.bin'))
    peaks.push(await peakBytesOf(['checkout'], root))
    expect(statSync(join(root, 'big.bin')).size).toBe(SIZE_BYTES)
    expect(Math.min(...peaks)).toBeGreaterThan(0)
    expect(Math.max(...peaks)).toBeLessThan(MOST_BYTES)
  },
)
