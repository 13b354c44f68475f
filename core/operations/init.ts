import { createHash } from 'node:crypto'
import { isAbsolute, join, relative, sep } from 'node:path'
import type { RepositoryId } from '../config/config.ts'
import { readConfigFile } from '../config/read-config-file.ts'
import { writeFileAtomically } from '../config/write-file-atomically.ts'
import { stagePaths } from '../git/stage-paths.ts'
import { initProject, type Project } from '../project.ts'

export type InitOptions = {
  /** Relative to `cwd`; undefined keeps what is set. */
  store?: string | undefined
  /** Stage with git what was made. */
  stage: boolean
}

export type InitReport = {
  root: string
  repositoryId: RepositoryId
  /** Root-relative paths of the files that were made or completed. */
  created: string[]
  storeFolder: string
  /** The store may hold the data of other clones too. */
  isShared: boolean
}

/**
 * Makes the git work tree around `cwd` a project; where that is done, makes sure of it and changes nothing.
 * @throws as `initProject` does; CONFLICT when git ignores `varve.yaml` or `.gitattributes`
 */
export async function init(cwd: string, options: InitOptions): Promise<InitReport> {
  const { store, stage } = options
  const { created, project } = await initProject(cwd, store === undefined ? {} : { store })
  const { repository, config, storeFolder } = project
  const isShared = !liesIn(repository.commonDir, storeFolder)
  if (isShared) await registerClone(project)
  if (stage) await stagePaths(repository, created)
  return { root: repository.root, repositoryId: config.repositoryId, created, storeFolder, isShared }
}

/** So that a collection of garbage in the store knows whose versions to keep. */
async function registerClone({ repository, storeFolder }: Project): Promise<void> {
  const { commonDir } = repository
  const name = createHash('sha256').update(commonDir).digest('hex').slice(0, 16)
  const path = join(storeFolder, 'clones', `${name}.json`)
  const text = `${JSON.stringify({ gitCommonDir: commonDir }, undefined, 2)}\n`
  if ((await readConfigFile(path)) !== text) await writeFileAtomically(path, text)
}

function liesIn(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}
