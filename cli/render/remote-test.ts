import type { CheckName, CheckResult } from '../../core/operations/remote-checks.ts'
import type { RemotePlace, RemoteTest } from '../../core/operations/remote-test.ts'
import type { Throughput } from '../../core/operations/remote-throughput.ts'
import { formatBytes } from './format-bytes.ts'
import type { Paint } from './paint.ts'
import { renderTable } from './table.ts'

const places: Record<RemotePlace, string> = {
  varve: 'A varve remote is there.',
  empty: 'It is empty: the first push will make a varve remote of it.',
  foreign: 'It is no varve remote, and holds other things: check that this is the right place.',
  incompatible: 'What is there cannot be used:',
}

const whats: Record<CheckName, string> = {
  write: 'write',
  stat: 'look for',
  read: 'read',
  range: 'read a part',
  list: 'list',
  create: 'create only if absent',
  race: 'the same, several at once',
  remove: 'remove',
  throughput: 'much in one object',
  parallel: 'much in several requests',
}

/** What a remote can do and how fast, and what is at its place. */
export function renderRemoteTest(name: string, result: RemoteTest, paint: Paint): string {
  const { label, place, placeError, readOnly, checks, probeBytes, one, atOnce } = result
  const lines = [`${name}: ${label}`, places[place]]
  if (placeError !== undefined) lines.push(`  ${placeError.message}`)
  if (readOnly) lines.push('This kind of remote is read, and never written.')
  lines.push('', renderTable(checks.map((check) => rowOf(check, paint))).trimEnd())
  const rates = [ratesOf('one request', one), ratesOf(`${atOnce.requests} at once`, atOnce)].flat()
  if (rates.length > 0) {
    lines.push('', `throughput, of ${formatBytes(probeBytes)}:`)
    lines.push(renderTable(rates, { alignRight: [1, 2], indent: '  ' }).trimEnd())
  }
  return lines.join('\n')
}

function ratesOf(how: string, { writeBytesPerSecond, readBytesPerSecond }: Throughput): string[][] {
  if (writeBytesPerSecond === undefined && readBytesPerSecond === undefined) return []
  const written = writeBytesPerSecond === undefined ? '' : `write ${formatBytes(writeBytesPerSecond)}/s`
  const read = readBytesPerSecond === undefined ? '' : `read ${formatBytes(readBytesPerSecond)}/s`
  return [[how, ...[written, read].filter((text) => text !== '')]]
}

function rowOf({ check, outcome, latencyMs, note, error }: CheckResult, paint: Paint): string[] {
  if (outcome === 'failed') return [whats[check], paint.red('fails'), error?.message ?? '']
  if (outcome === 'skipped') return [whats[check], 'not tested', note ?? '']
  if (outcome === 'limited') return [whats[check], paint.yellow('limited'), note ?? '']
  const isLatency = latencyMs !== undefined && check !== 'throughput' && check !== 'parallel'
  return [whats[check], paint.green('works'), isLatency ? `${latencyMs.toFixed(1)} ms` : '']
}
