import { spawn } from 'node:child_process'
import fs from 'node:fs'

const gnuTime = '/usr/bin/time'
const running = new Set()

/** Whether peak memory can be told: it takes GNU time. */
export const canMeasureMemory = fs.existsSync(gnuTime)

/**
 * Runs a shell script to its end. Gives its wall-clock seconds, and the peak resident memory in MB of the largest
 * process among all that it started and waited for (GNU time's `%M`, which costs the measured nothing).
 * Throws where it fails, or where `timeoutMs` are over; whatever it started is ended then.
 */
export async function measure(script, { cwd, env, timeoutMs = 3_600_000 }) {
  const report = `${cwd}/.time`
  const shell = ['bash', '-euc', script]
  const [program, ...args] = canMeasureMemory ? [gnuTime, '-f', '%M', '-o', report, ...shell] : shell
  const started = performance.now()
  // A group of its own, so that all of it can be ended at once.
  const child = spawn(program, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text) => {
      output = (output + text).slice(-2000)
    })
  }
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    endGroup(child)
  }, timeoutMs)
  const { code, seconds } = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => {
      const seconds = (performance.now() - started) / 1000
      // What it left in the background would keep its pipes, and this, open.
      endGroup(child)
      child.on('close', () => resolve({ code, seconds }))
    })
  })
  clearTimeout(timer)
  running.delete(child)
  if (isLate) throw new Error(`over ${timeoutMs / 1000} s`)
  if (code !== 0) throw new Error(`exit ${code} of: ${script}\n${output}`)
  const peakMB = canMeasureMemory ? Math.round((Number(fs.readFileSync(report, 'utf8')) * 1024) / 1e6) : null
  return { seconds: Number(seconds.toFixed(3)), peakMB, output }
}

/** Ends everything that is being measured. */
export function endAll() {
  for (const child of running) endGroup(child)
}

function endGroup(child) {
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}
