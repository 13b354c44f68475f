import type { CheckName, CheckResult, RemotePlace, RemoteTest } from '../../core/operations/remote-test.ts'
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
  remove: 'remove',
  throughput: 'write and read much',
}

/** What a remote can do and how fast, and what is at its place. */
export function renderRemoteTest(name: string, result: RemoteTest, paint: Paint): string {
  const { label, place, placeError, checks, probeBytes, writeBytesPerSecond, readBytesPerSecond } = result
  const lines = [`${name}: ${label}`, places[place]]
  if (placeError !== undefined) lines.push(`  ${placeError.message}`)
  lines.push('', renderTable(checks.map((check) => rowOf(check, paint))).trimEnd())
  if (writeBytesPerSecond !== undefined && readBytesPerSecond !== undefined) {
    const rates = `write ${formatBytes(writeBytesPerSecond)}/s, read ${formatBytes(readBytesPerSecond)}/s`
    lines.push('', `${rates} (${formatBytes(probeBytes)} in one object)`)
  }
  return lines.join('\n')
}

function rowOf({ check, outcome, latencyMs, error }: CheckResult, paint: Paint): string[] {
  if (outcome === 'failed') return [whats[check], paint.red('fails'), error?.message ?? '']
  if (outcome === 'skipped') return [whats[check], 'not tested', '']
  const time = latencyMs === undefined || check === 'throughput' ? '' : `${latencyMs.toFixed(1)} ms`
  return [whats[check], paint.green('works'), time]
}
