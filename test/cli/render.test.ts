import { describe, expect, it } from 'vitest'
import { formatBytes } from '../../cli/render/format-bytes.ts'
import { formatCount, formatCountOf } from '../../cli/render/format-count.ts'
import { formatDuration } from '../../cli/render/format-duration.ts'
import { createProgressLine, renderProgress } from '../../cli/render/progress.ts'
import { displayWidth, renderTable } from '../../cli/render/table.ts'
import { TransferRate } from '../../cli/render/transfer-rate.ts'
import { suggest } from '../../core/suggest.ts'

describe('numbers', () => {
  it.each([
    [0, '0 B'],
    [1234, '1,234 B'],
    [9999, '9,999 B'],
    [10_000, '9.8 KiB'],
    [340 * 1024, '340 KiB'],
    [1024 * 1024 - 1, '1.0 MiB'],
    [1.25 * 2 ** 20, '1.3 MiB'],
    [1000 * 2 ** 20, '1,000 MiB'],
    [2 ** 30, '1.0 GiB'],
    [Number.MAX_SAFE_INTEGER, '8.0 PiB'],
  ])('%d bytes are %s', (sizeBytes, text) => expect(formatBytes(sizeBytes)).toBe(text))

  it.each([
    [0, '0.0 s'],
    [440, '0.4 s'],
    [9_949, '9.9 s'],
    [9_950, '10 s'],
    [59_499, '59 s'],
    [59_500, '1 min'],
    [200_000, '3 min 20 s'],
    [3_599_600, '1 h'],
    [7_500_000, '2 h 5 min'],
    [99 * 3_600_000, '4 d 3 h'],
  ])('%d ms are %s', (durationMs, text) => expect(formatDuration(durationMs)).toBe(text))

  it('of things are grouped by thousands', () => {
    expect([0, 999, 1000, 1234567].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567'])
    expect(formatCountOf(1, 'file')).toBe('1 file')
    expect(formatCountOf(1000, 'file')).toBe('1,000 files')
    expect(formatCountOf(2, 'directory', 'directories')).toBe('2 directories')
  })
})

describe('a table', () => {
  it('aligns its columns and ends no line with spaces', () => {
    const rows = [
      ['data/train', '12', ''],
      ['m', '1,234', 'x'],
    ]
    expect(renderTable(rows, { head: ['path', 'files', 'note'], alignRight: [1], indent: ' ' })).toBe(
      ' path        files  note\n data/train     12\n m           1,234  x\n',
    )
  })

  it('cuts nothing, however long', () => {
    const id = `b3:${'0123456789abcdef'.repeat(4)}`
    expect(renderTable([[id, 'x'.repeat(300)]])).toBe(`${id}  ${'x'.repeat(300)}\n`)
  })

  it('measures what is seen: no colours, no combining marks, wide characters twice', () => {
    expect(displayWidth('\u001b[31mred\u001b[39m')).toBe(3)
    expect(displayWidth('e\u0301')).toBe(1)
    expect(displayWidth('数据')).toBe(4)
  })
})

describe('progress', () => {
  const event = {
    phase: 'uploading',
    filesDone: 1500,
    filesTotal: 2000,
    bytesDone: 2 ** 30,
    bytesTotal: 2 ** 31,
  }

  it('shows what is known', () => {
    expect(renderProgress(event, 2 ** 26, 100)).toBe(
      'uploading  1,500 of 2,000 files  1.0 GiB of 2.0 GiB  64.0 MiB/s  16 s left',
    )
    expect(renderProgress({ phase: 'scanning', filesDone: 7 }, 10, 80)).toBe('scanning  7 files  10 files/s')
    expect(renderProgress({ phase: 'waiting' }, undefined, 80)).toBe('waiting')
    const one = { phase: 'reading', filesDone: 0, filesTotal: 1 }
    expect(renderProgress(one, undefined, 80)).toBe('reading  0 of 1 file')
  })

  it('fits the terminal', () => {
    expect(renderProgress(event, 2 ** 26, 40)).toBe('uploading  1,500 of 2,000 files')
    expect(renderProgress(event, 2 ** 26, 5)).toBe('uploa')
  })

  it('is drawn after half a second, ten times a second at most, and cleared', () => {
    let nowMs = 0
    const written: string[] = []
    const line = createProgressLine({
      stream: { columns: 80, write: (text) => written.push(text) },
      now: () => nowMs,
    })
    const reportAt = (ms: number) => {
      nowMs = ms
      line.report({ phase: 'hashing', filesDone: ms })
    }
    reportAt(0)
    reportAt(499)
    expect(written).toEqual([])
    reportAt(500)
    reportAt(599)
    expect(written).toHaveLength(1)
    reportAt(600)
    expect(written).toHaveLength(2)
    line.hide()
    expect(written.pop()).toBe('\r\u001b[K')
    line.hide()
    expect(written).toHaveLength(2)
    reportAt(601)
    expect(written.at(-1)?.startsWith('\r\u001b[Khashing  601 files')).toBe(true)
    line.end()
    expect(written.at(-1)).toBe('\r\u001b[K')
  })

  it('is not cut to nothing where a terminal does not know its size', () => {
    let nowMs = 0
    const written: string[] = []
    const line = createProgressLine({
      stream: { columns: 0, write: (text) => written.push(text) },
      now: () => nowMs,
    })
    nowMs = 1000
    line.report({ phase: 'hashing', filesDone: 1 })
    line.end()
    expect(written[0]).toContain('hashing  1 file')
  })

  it('tells no rate and no time left before both mean something', () => {
    let nowMs = 0
    const written: string[] = []
    const line = createProgressLine({
      stream: { columns: 80, write: (text) => written.push(text) },
      now: () => nowMs,
    })
    const drawnAt = (ms: number, bytesDone: number) => {
      nowMs = ms
      line.report({ phase: 'uploading', bytesDone, bytesTotal: 2 ** 29 })
      return written.at(-1)
    }
    drawnAt(0, 0)
    expect(drawnAt(1000, 2)).toMatch(/uploading {2}2 B of 512 MiB$/)
    expect(drawnAt(1900, 2 ** 20)).toMatch(/1\.0 MiB of 512 MiB$/)
    expect(drawnAt(2000, 2 ** 21)).toMatch(/1\.0 MiB\/s {2}8 min 30 s left$/)
    line.end()
    line.report({ phase: 'downloading', bytesDone: 0, bytesTotal: 2 ** 29 })
    expect(drawnAt(9000, 2)).toMatch(/2 B of 512 MiB$/)
    line.end()
  })

  it('of short work is never seen', () => {
    const written: string[] = []
    const line = createProgressLine({ stream: { write: (text) => written.push(text) }, now: () => 0 })
    line.report({ phase: 'hashing' })
    line.end()
    expect(written).toEqual([])
  })
})

describe('a rate', () => {
  it('has no value before the first sample, then follows changes smoothly', () => {
    const rate = new TransferRate(0, { total: 0, least: 2000 })
    rate.update(1900, 2000)
    expect(rate.perSecond).toBeUndefined()
    rate.update(2000, 1999)
    expect(rate.perSecond).toBeUndefined()
    rate.update(2000, 2000)
    expect(rate.perSecond).toBe(1000)
    rate.update(3000, 2000)
    const slowed = rate.perSecond!
    expect(slowed).toBeGreaterThan(600)
    expect(slowed).toBeLessThan(800)
    for (let second = 4; second < 40; second++) rate.update(second * 1000, 2000)
    expect(rate.perSecond).toBeLessThan(1)
  })
})

describe('a suggestion', () => {
  it.each([
    ['psuh', 'push'],
    ['stauts', 'status'],
    ['comp', 'completion'],
    ['ad', 'add'],
    ['xyz', undefined],
    ['zzzzzz', undefined],
  ])('for %s is %s', (typed, meant) => {
    expect(suggest(typed, ['add', 'push', 'pull', 'status', 'completion'])).toBe(meant)
  })
})
