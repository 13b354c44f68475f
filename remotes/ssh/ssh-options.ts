import { readdir, readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { Line, Match } from 'ssh-config'
import { VarveError } from '../../core/errors.ts'
import { systemCode } from '../file/file-remote-error.ts'
import { matchesPattern, matchesPatternList } from './host-pattern.ts'
import type { SshEnvironment } from './ssh-environment.ts'

/** Options by their name in lower case. The first value found counts, as in ssh_config(5); IdentityFile adds up. */
export type SshOptions = ReadonlyMap<string, readonly string[]>

const MAX_INCLUDE_DEPTH = 16

/**
 * What `~/.ssh/config` and the system's `ssh_config` say of a host. `Match exec` is never run: it holds for
 * nothing, and neither do `Match canonical` and `Match final`.
 * @throws BAD_CONFIG for a file that cannot be read or parsed.
 */
export async function readSshOptions(target: {
  host: string
  user: string | undefined
  environment: SshEnvironment
}): Promise<SshOptions> {
  const { homeFolder, systemFolder } = target.environment
  const options = new Map<string, string[]>()
  const reader = { ...target, options }
  const userFolder = join(homeFolder, '.ssh')
  await readFileInto(reader, { file: join(userFolder, 'config'), folder: userFolder, depth: 0 })
  await readFileInto(reader, { file: join(systemFolder, 'ssh_config'), folder: systemFolder, depth: 0 })
  return options
}

type Reader = {
  host: string
  user: string | undefined
  environment: SshEnvironment
  options: Map<string, string[]>
}

/** `folder` is where relative paths of `Include` start. */
type Place = { file: string; folder: string; depth: number }

async function readFileInto(reader: Reader, place: Place): Promise<void> {
  const text = await readIfThere(place.file)
  if (text === undefined) return
  const { parse } = await import('ssh-config')
  let lines: Line[]
  try {
    lines = parse(text)
  } catch (cause) {
    throw new VarveError(
      'BAD_CONFIG',
      `cannot read the SSH config ${place.file}: ${(cause as Error).message}`,
      {
        hint: `Run \`ssh -G ${reader.host}\` to see what is wrong with it.`,
        cause,
      },
    )
  }
  await apply(lines, reader, place)
}

async function apply(lines: readonly Line[], reader: Reader, place: Place): Promise<void> {
  for (const line of lines) {
    if (!('param' in line) || line.param === '') continue
    const name = line.param.toLowerCase()
    const words = wordsOf(line.value)
    if (name === 'host' || name === 'match') {
      const holds =
        name === 'host' ? matchesPatternList(words, reader.host) : matchHolds(line as Match, reader)
      if (holds && 'config' in line) await apply(line.config, reader, place)
    } else if (name === 'include') {
      await include(words, reader, place)
    } else if (name === 'identityfile') {
      reader.options.set(name, [...(reader.options.get(name) ?? []), ...words])
    } else if (!reader.options.has(name)) {
      reader.options.set(name, words)
    }
  }
}

function matchHolds({ criteria }: Match, reader: Reader): boolean {
  return Object.entries(criteria).every(([criterion, value]) => {
    const keyword = criterion.replace(/^!/, '').toLowerCase()
    if (keyword === 'all') return keyword === criterion.toLowerCase()
    const subject = subjectOf(keyword, reader)
    if (subject === undefined) return false
    const patterns = wordsOf(value).flatMap((word) => word.split(','))
    return matchesPatternList(patterns, subject) !== criterion.startsWith('!')
  })
}

function subjectOf(keyword: string, { host, user, environment, options }: Reader): string | undefined {
  switch (keyword) {
    case 'host':
      return options.get('hostname')?.[0]?.replaceAll('%h', host) ?? host
    case 'originalhost':
      return host
    case 'user':
      return user ?? options.get('user')?.[0] ?? environment.userName
    case 'localuser':
      return environment.userName
    default:
      return undefined
  }
}

async function include(patterns: readonly string[], reader: Reader, place: Place): Promise<void> {
  if (place.depth >= MAX_INCLUDE_DEPTH) {
    throw new VarveError('BAD_CONFIG', `too many files include each other in the SSH config ${place.file}`, {
      hint: 'Take the circle of Include lines out of it.',
    })
  }
  for (const pattern of patterns) {
    const path = pattern.replace(/^~(?=\/)/, reader.environment.homeFolder)
    const absolute = isAbsolute(path) ? path : join(place.folder, path)
    for (const file of await filesOf(absolute)) {
      await readFileInto(reader, { ...place, file, depth: place.depth + 1 })
    }
  }
}

/** The paths that match, in the order of their names. */
async function filesOf(pattern: string): Promise<string[]> {
  const firstWild = pattern.search(/[*?]/)
  if (firstWild < 0) return [pattern]
  const start = pattern.lastIndexOf('/', firstWild)
  const end = pattern.indexOf('/', firstWild)
  const folder = pattern.slice(0, start + 1)
  const wanted = pattern.slice(start + 1, end < 0 ? undefined : end)
  const names = await readdir(folder).catch(() => [])
  const found = names.filter((name) => !name.startsWith('.') && matchesPattern(wanted, name)).sort()
  const rest = end < 0 ? '' : pattern.slice(end)
  return (await Promise.all(found.map((name) => filesOf(`${folder}${name}${rest}`)))).flat()
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].includes(systemCode(error) ?? '')) return undefined
    throw new VarveError('BAD_CONFIG', `cannot read the SSH config ${file}`, {
      hint: 'Check the owner and mode of that file.',
      cause: error,
    })
  }
}

function wordsOf(value: string | readonly { val: string }[]): string[] {
  return typeof value === 'string' ? [value] : value.map(({ val }) => val)
}
