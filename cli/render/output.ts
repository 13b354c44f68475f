import type { Writable } from 'node:stream'
import { createPaint, type Paint, wantsColour } from './paint.ts'
import { createProgressLine, noProgress, type ProgressReporter } from './progress.ts'

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined }

/** Where a command's words go: results to standard output, everything about them to standard error. */
export interface Output {
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  /** Columns of the terminal, or 80 where that is not known. */
  readonly width: number
  /** For text on standard output. */
  readonly paint: Paint
  /** For raw bytes: `varve cat`. */
  readonly stdout: Writable
  /** What was asked for: with --json the value as one document, else the text. Once a command. */
  result(value: JsonValue, renderText: () => string): void
  /** The same for what was done rather than asked: its text is left out with -q. */
  summary(value: JsonValue, renderText: () => string): void
  /** By the way; not with -q. */
  note(text: string): void
  /** With -v alone. */
  detail(text: string): void
  /** Always, and on standard error with --json too: a document on standard output is either whole or an error. */
  warn(text: string): void
  /** On a terminal alone, not with -q. The frame ends it if the command does not. */
  progress(): ProgressReporter
}

export type Stream = Writable & { isTTY?: boolean; columns?: number }

export type OutputOptions = {
  stdout: Stream
  stderr: Stream
  variables: Readonly<Record<string, string | undefined>>
  json: boolean
  quiet: boolean
  verbose: boolean
}

/** The frame's side of an output. */
export interface FrameOutput extends Output {
  readonly hasResult: boolean
  readonly paintError: Paint
  /** A line on standard error, whatever the options say. */
  error(text: string): void
  end(): void
}

export function createOutput(options: OutputOptions): FrameOutput {
  const { stdout, stderr, variables, json, quiet, verbose } = options
  const paint = createPaint(wantsColour(stdout, variables) && !json)
  const paintError = createPaint(wantsColour(stderr, variables))
  let line = noProgress
  let hasResult = false

  function toStandardError(text: string): void {
    line.hide()
    stderr.write(withLineFeed(text))
  }

  function result(value: JsonValue, renderText: () => string): void {
    if (hasResult) throw new Error('a command has one result')
    hasResult = true
    line.hide()
    const text = json ? JSON.stringify(value, null, 2) : renderText()
    if (text !== '') stdout.write(withLineFeed(text))
  }

  return {
    json,
    quiet,
    verbose,
    width: stdout.columns || 80,
    paint,
    paintError,
    stdout,
    get hasResult() {
      return hasResult
    },
    result,
    summary(value, renderText) {
      result(value, quiet ? () => '' : renderText)
    },
    note(text) {
      if (!quiet) toStandardError(text)
    },
    detail(text) {
      if (verbose) toStandardError(paintError.dim(text))
    },
    warn(text) {
      toStandardError(`${paintError.yellow('warning:')} ${text}`)
    },
    error: toStandardError,
    progress() {
      if (quiet || stderr.isTTY !== true || variables.TERM === 'dumb') return noProgress
      line.end()
      line = createProgressLine({ stream: stderr })
      return line
    },
    end() {
      line.end()
    },
  }
}

function withLineFeed(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}
