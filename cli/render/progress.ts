import type { OnProgress, ProgressEvent } from '../../core/progress.ts'
import { formatBytes } from './format-bytes.ts'
import { formatCount, formatCountOf } from './format-count.ts'
import { formatDuration } from './format-duration.ts'
import { displayWidth } from './table.ts'
import { TransferRate } from './transfer-rate.ts'

export type ProgressReporter = {
  /** To be given to an operation as it is. */
  report: OnProgress
  /** Clears the line for good. */
  end(): void
}

/** A line that other output must not run into. */
export type ProgressLine = ProgressReporter & {
  /** Clears the line; the next event draws it again. */
  hide(): void
}

const FIRST_DRAW_MS = 500
const REDRAW_MS = 100
/** Handshakes come first: what a few bytes took says nothing of the rest. */
const LEAST_RATED_BYTES = 64 * 1024
const CLEAR_LINE = '\r\u001b[K'

export const noProgress: ProgressLine = { report() {}, hide() {}, end() {} }

/** One line on `stream`, drawn when the work has gone on for half a second, updated in place. */
export function createProgressLine(options: {
  stream: { write(text: string): unknown; columns?: number | undefined }
  now?: () => number
}): ProgressLine {
  const { stream, now = () => performance.now() } = options
  const startedAtMs = now()
  let drawnAtMs = Number.NEGATIVE_INFINITY
  let visible = false
  let latest: ProgressEvent | undefined
  let rate: TransferRate | undefined

  function draw(): void {
    const nowMs = now()
    if (!latest || nowMs - startedAtMs < FIRST_DRAW_MS || nowMs - drawnAtMs < REDRAW_MS) return
    drawnAtMs = nowMs
    visible = true
    stream.write(CLEAR_LINE + renderProgress(latest, rate?.perSecond, (stream.columns || 80) - 1))
  }

  function hide(): void {
    if (visible) stream.write(CLEAR_LINE)
    visible = false
    drawnAtMs = Number.NEGATIVE_INFINITY
  }

  // Work that reports nothing for a while still gets its line.
  const timer = setInterval(draw, REDRAW_MS * 2)
  timer.unref()

  return {
    report(event) {
      const total = event.bytesDone ?? event.filesDone ?? 0
      if (event.phase !== latest?.phase) {
        const least = event.bytesDone === undefined ? 1 : LEAST_RATED_BYTES
        rate = new TransferRate(now(), { total, least })
      }
      rate?.update(now(), total)
      latest = event
      draw()
    },
    hide,
    end() {
      clearInterval(timer)
      latest = undefined
      hide()
    },
  }
}

/** Phase, files, bytes, rate, time left: what is known of it, cut to `width` columns. */
export function renderProgress(event: ProgressEvent, perSecond: number | undefined, width: number): string {
  const { filesDone, filesTotal, bytesDone, bytesTotal } = event
  const parts = [event.phase]
  if (filesDone !== undefined) {
    const done = filesTotal === undefined ? '' : `${formatCount(filesDone)} of `
    parts.push(`${done}${formatCountOf(filesTotal ?? filesDone, 'file')}`)
  }
  if (bytesDone !== undefined) parts.push(ofTotal(bytesDone, bytesTotal, formatBytes))
  if (perSecond !== undefined && perSecond > 0) {
    const inBytes = bytesDone !== undefined
    parts.push(inBytes ? `${formatBytes(perSecond)}/s` : `${formatCount(Math.round(perSecond))} files/s`)
    const left = inBytes ? (bytesTotal ?? 0) - bytesDone : (filesTotal ?? 0) - (filesDone ?? 0)
    if (left > 0) parts.push(`${formatDuration(Math.ceil((left / perSecond) * 10) * 100)} left`)
  }
  while (parts.length > 1 && displayWidth(parts.join('  ')) > width) parts.pop()
  return parts.join('  ').slice(0, Math.max(width, 0))
}

function ofTotal(done: number, total: number | undefined, format: (value: number) => string): string {
  return total === undefined ? format(done) : `${format(done)} of ${format(total)}`
}
