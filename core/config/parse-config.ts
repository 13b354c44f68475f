// The one file that loads the YAML library: import it only when a config file is there to be read.
import { isAbsolute } from 'node:path'
import { type Document, isMap, isScalar, type Pair, parseDocument, type Scalar } from 'yaml'
import { VarveError } from '../errors.ts'
import type { ConfigFile, RepositoryId } from './config.ts'
import {
  CONFIG_VERSION,
  checkKey,
  checkRemoteName,
  checkRemoteValue,
  REMOTE_KEYS,
  SWITCH_KEYS,
  TOP_KEYS,
} from './config-keys.ts'

/** What one file says. */
export type ParsedConfig = {
  repositoryId: RepositoryId | undefined
  store: string | undefined
  defaultRemote: string | undefined
  remotes: Map<string, Map<string, string>>
}

type Field = { key: string; value: unknown; where: string }

/** Git's marks around two versions of a text. */
const CONFLICT_MARK = /^(?:<{7}|>{7}|\|{7})(?: |$)/m

/**
 * The YAML document of a config file, for reading it and for editing it with its comments kept.
 *
 * @throws CONFLICT where git left its conflict marks, BAD_CONFIG where it is not YAML.
 */
export function parseConfigDocument(text: string, path: string): Document {
  const conflict = CONFLICT_MARK.exec(text)
  if (conflict !== null) {
    throw new VarveError(
      'CONFLICT',
      `${path}:${lineAt(text, conflict.index)}: an unresolved merge conflict`,
      {
        hint: 'Edit the file so that one version is left, then `git add` it.',
      },
    )
  }
  const document = parseYaml(text, path)
  const problem = document.errors[0]
  if (problem !== undefined) {
    const what = problem.message.split('\n')[0]!.replace(/\p{Cc}/gu, '?')
    throw new VarveError('BAD_CONFIG', `${path}:${lineAt(text, problem.pos[0])}: ${what}`, { cause: problem })
  }
  return document
}

function parseYaml(text: string, path: string): Document {
  try {
    return parseDocument(text, { prettyErrors: false, stringKeys: true, version: '1.2' })
  } catch (cause) {
    // Nested so deep that the parser runs out of stack.
    throw new VarveError('BAD_CONFIG', `${path}: not readable as YAML`, { cause })
  }
}

/**
 * Reads and checks the text of one config file.
 *
 * @throws CONFLICT; TOO_NEW for a later version; BAD_CONFIG for all else, naming file, line and key.
 */
export function parseConfig(text: string, file: ConfigFile): ParsedConfig {
  const document = parseConfigDocument(text, file.path)
  const whereOf = (node: unknown) => `${file.path}:${lineAt(text, (node as Scalar).range?.[0] ?? 0)}`
  const parsed: ParsedConfig = {
    repositoryId: undefined,
    store: undefined,
    defaultRemote: undefined,
    remotes: new Map(),
  }
  const top = fieldsOf(document.contents, { what: 'the file', where: `${file.path}:1`, whereOf })
  if (file.source === 'committed') checkVersion(top, file.path)
  for (const field of top) {
    checkKey(field.key, TOP_KEYS[file.source], field.where)
    if (field.key === 'repository') parsed.repositoryId = repositoryIdOf(field)
    if (field.key === 'store') parsed.store = storeOf(field)
    if (field.key === 'default') {
      parsed.defaultRemote = textOf(field)
      checkRemoteName(parsed.defaultRemote, field.where)
    }
    if (field.key !== 'remotes') continue
    for (const remote of fieldsOf(field.value, { what: 'remotes', where: field.where, whereOf })) {
      checkRemoteName(remote.key, remote.where)
      const settings = new Map<string, string>()
      parsed.remotes.set(remote.key, settings)
      const what = `remotes.${remote.key}`
      for (const setting of fieldsOf(remote.value, { what, where: remote.where, whereOf })) {
        checkKey(setting.key, REMOTE_KEYS, setting.where)
        const value = SWITCH_KEYS.includes(setting.key) ? switchOf(setting) : textOf(setting)
        checkRemoteValue(setting.key, value, setting.where)
        settings.set(setting.key, value)
      }
    }
  }
  return parsed
}

function fieldsOf(
  node: unknown,
  context: { what: string; where: string; whereOf: (node: unknown) => string },
): Field[] {
  if (node === null || (isScalar(node) && node.value === null)) return []
  if (!isMap(node))
    throw new VarveError('BAD_CONFIG', `${context.where}: ${context.what} must hold keys and values`)
  return node.items.map((pair: Pair) => {
    const key = pair.key as Scalar<string>
    return { key: key.value, value: pair.value, where: context.whereOf(key) }
  })
}

function textOf(field: Field): string {
  const { value } = field
  if (isScalar(value) && typeof value.value === 'string') return value.value
  throw new VarveError('BAD_CONFIG', `${field.where}: ${field.key} must be text`, {
    hint: 'Put the value in quotes.',
  })
}

function switchOf(field: Field): string {
  const value = isScalar(field.value) ? String(field.value.value) : undefined
  if (value === 'true' || value === 'false') return value
  throw new VarveError('BAD_CONFIG', `${field.where}: ${field.key} must be true or false`)
}

function checkVersion(top: readonly Field[], path: string): void {
  const field = top.find(({ key }) => key === 'version')
  const version = field !== undefined && isScalar(field.value) ? field.value.value : undefined
  if (version === CONFIG_VERSION) return
  if (typeof version === 'number' && Number.isInteger(version) && version > CONFIG_VERSION) {
    throw new VarveError(
      'TOO_NEW',
      `${field!.where}: version ${version}, and this Varve knows ${CONFIG_VERSION}`,
      {
        hint: 'Install a newer Varve.',
      },
    )
  }
  throw new VarveError('BAD_CONFIG', `${field?.where ?? `${path}:1`}: there must be a line \`version: 1\``)
}

function repositoryIdOf(field: Field): RepositoryId {
  // As written: thirty-two digits, or digits around an `e`, would be a number in YAML.
  const id = isScalar(field.value) ? (field.value.source ?? field.value.value) : undefined
  if (typeof id === 'string' && /^[0-9a-f]{32}$/.test(id)) return id as RepositoryId
  throw new VarveError('BAD_CONFIG', `${field.where}: repository must be 32 lower-case hex digits`, {
    hint: 'Take this line from the history of the file; a clone with another id is another repository.',
  })
}

function storeOf(field: Field): string {
  const store = textOf(field)
  if (isAbsolute(store) && !store.includes('\0')) return store
  throw new VarveError('BAD_CONFIG', `${field.where}: store must be an absolute path`, {
    hint: 'Set it with `varve init --store PATH`.',
  })
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}
