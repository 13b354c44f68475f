import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'varve-test-demo-'))
let output: string

beforeAll(async () => {
  const env = { ...process.env, TMPDIR: folder, TEMP: folder }
  // Rejects, with all that was printed, unless the demo ends with 0.
  const { stdout } = await promisify(execFile)(process.execPath, ['examples/demo.mjs'], {
    env,
    maxBuffer: 1 << 24,
  })
  output = stdout
}, 240_000)
afterAll(() => rmSync(folder, { recursive: true }))

describe('the demo', () => {
  it('shows each command as it is typed', () => {
    expect(output).toContain(
      '$ varve add data/birdstrikes.csv data/flights.parquet data/movies models/hand.tflite\n',
    )
    expect(output).toContain('$ varve checkout 2026-09 -- data models\n')
    for (const name of [
      'init',
      'remote add',
      'push',
      'pull',
      'status',
      'diff',
      'log',
      'ls',
      'cat',
      'verify',
      'stats',
    ]) {
      expect(output).toContain(`\n$ varve ${name}`)
    }
  })

  it('finds that all is as it should be', () => {
    const checks = output.split('\n').filter((line) => /^\[.*\] /.test(line))
    expect(checks).toContain('[ok] the second push sends less than a tenth of the files that changed')
    expect(checks).toContain('[ok] all 3,204 files are identical (SHA-256)')
    expect(checks).toContain('[ok] all 3,204 files are as they were in September')
    expect(checks.filter((line) => !line.startsWith('[ok] '))).toEqual([])
    expect(output).toMatch(/\nEverything is as it should be \(\d+\.\d s\)\.\n$/)
  })

  it('leaves nothing behind', () => {
    expect(readdirSync(folder)).toEqual([])
  })
})
