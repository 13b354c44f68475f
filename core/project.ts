import { randomBytes } from 'node:crypto'
import { mkdir, opendir, realpath } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import type { Config, ConfigPaths } from './config/config.ts'
import { CONFIG_VERSION } from './config/config-keys.ts'
import { editConfig } from './config/edit-config.ts'
import { loadConfig } from './config/load-config.ts'
import { readConfigFile } from './config/read-config-file.ts'
import { readParsedConfig } from './config/read-parsed-config.ts'
import { writeFileAtomically } from './config/write-file-atomically.ts'
import { fromSystemError, VarveError } from './errors.ts'
import { discoverRepository, type Repository } from './git/repository.ts'
import { repositoryPathOf } from './git/repository-path.ts'

/** A git work tree in which `varve init` has been run, and the folders that Varve uses for it. Absolute paths. */
export type Project = {
  repository: Repository
  config: Config
  /** Packs and index segments: in git's common folder, or where `varve init --store` put them. */
  storeFolder: string
  /** The stat cache of this worktree. */
  statCacheFolder: string
  /** What this clone keeps for itself: its config, what it knows of remotes. Shared by its worktrees. */
  localFolder: string
}

const CONFIG_NAME = 'varve.yaml'
const ATTRIBUTES_NAME = '.gitattributes'
const ATTRIBUTES_LINE = '*.varve text eol=lf'

/**
 * Opens the project that `cwd` lies in.
 *
 * @throws NOT_A_REPOSITORY outside git, NOT_INITIALISED before `varve init`; what `loadConfig` throws.
 */
export async function openProject(cwd: string): Promise<Project> {
  const repository = await discoverRepository(cwd)
  return assemble(repository, await loadConfig(configPathsOf(repository)))
}

/** The two config files of a repository, whether they are there or not. */
export function configPathsOf(repository: Repository): ConfigPaths {
  return {
    committed: join(repository.root, CONFIG_NAME),
    local: join(localFolderOf(repository), 'config.yaml'),
  }
}

/** The root-relative path of what a user calls `userPath`: see `repositoryPathOf`. */
export function toRepositoryPath(project: Project, userPath: string): string {
  return repositoryPathOf(project.repository, userPath)
}

export type InitResult = {
  /** Root-relative paths of the files that were written and belong into git. */
  created: string[]
  project: Project
}

/**
 * Makes a git work tree a project, and does nothing where that is done. `store`, relative to `cwd`, becomes
 * the store of this clone. Nothing is staged.
 *
 * @throws NOT_A_REPOSITORY; CONFLICT when another store holds packs already; USAGE when `store` lies in the
 *   work tree; BAD_CONFIG when a file to be written is there as something else.
 */
export async function initProject(cwd: string, options: { store?: string } = {}): Promise<InitResult> {
  const repository = await discoverRepository(cwd)
  const paths = configPathsOf(repository)
  const store = options.store === undefined ? undefined : resolve(cwd, options.store)
  if (store !== undefined) await refuseStore(repository, store)

  const created: string[] = []
  if (await ensureRepositoryId(paths.committed)) created.push(CONFIG_NAME)
  if (await ensureAttributesLine(join(repository.root, ATTRIBUTES_NAME))) created.push(ATTRIBUTES_NAME)
  await makeFolder(localFolderOf(repository))
  if (store !== undefined) {
    await makeFolder(store)
    await editConfig({ path: paths.local, source: 'local' }, (document) => document.set('store', store))
  }
  return { created, project: assemble(repository, await loadConfig(paths)) }
}

function assemble(repository: Repository, config: Config): Project {
  const localFolder = localFolderOf(repository)
  return {
    repository,
    config,
    storeFolder: config.store?.value ?? localFolder,
    statCacheFolder: join(repository.gitDir, 'varve', 'stat-cache'),
    localFolder,
  }
}

function localFolderOf(repository: Repository): string {
  return join(repository.commonDir, 'varve')
}

async function refuseStore(repository: Repository, store: string): Promise<void> {
  const real = await realPathOrSame(store)
  if (isWithin(repository.root, real) && !isWithin(repository.commonDir, real)) {
    throw new VarveError('USAGE', `the store ${store} would lie among the files that git tracks`, {
      hint: 'Choose a folder outside the work tree.',
    })
  }
  const local = configPathsOf(repository).local
  const parsed = await readParsedConfig({ path: local, source: 'local' })
  const current = parsed?.store ?? localFolderOf(repository)
  if ((await realPathOrSame(current)) === real || !(await holdsPacks(current))) return
  throw new VarveError('CONFLICT', `the data of this clone lies in another store already: ${current}`, {
    hint: `Keep it; or move its content to the new folder, and then set \`store\` in ${local}.`,
  })
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

async function realPathOrSame(path: string): Promise<string> {
  return realpath(path).catch(() => path)
}

async function holdsPacks(store: string): Promise<boolean> {
  try {
    for await (const entry of await opendir(join(store, 'packs'), { recursive: true })) {
      if (entry.isFile()) return true
    }
    return false
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw fromSystemError(error, `looking for packs in ${store}`)
  }
}

/** Whether the committed config had to be written. */
async function ensureRepositoryId(path: string): Promise<boolean> {
  const file = { path, source: 'committed' } as const
  const parsed = await readParsedConfig(file)
  if (parsed?.repositoryId !== undefined) return false
  await editConfig(file, (document) => {
    document.set('version', CONFIG_VERSION)
    document.set('repository', randomBytes(16).toString('hex'))
  })
  return true
}

/** Whether the line had to be written: without it, git may give a pointer the platform's line ends. */
async function ensureAttributesLine(path: string): Promise<boolean> {
  const text = (await readConfigFile(path)) ?? ''
  const isThere = text.split('\n').some((line) => line.trim().replace(/\s+/g, ' ') === ATTRIBUTES_LINE)
  if (isThere) return false
  const separator = text === '' || text.endsWith('\n') ? '' : '\n'
  await writeFileAtomically(path, `${text}${separator}${ATTRIBUTES_LINE}\n`)
  return true
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true })
  } catch (error) {
    throw fromSystemError(error, `creating the folder ${path}`)
  }
}
