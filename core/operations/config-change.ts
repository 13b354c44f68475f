import { relative } from 'node:path'
import type { Config, ConfigFile, ConfigSource } from '../config/config.ts'
import { loadConfig } from '../config/load-config.ts'
import { readConfigFile } from '../config/read-config-file.ts'
import { stagePaths } from '../git/stage-paths.ts'
import { configPathsOf, type Project } from '../project.ts'

/** Which file to change, and whether git's index follows. The local file is never staged. */
export type ConfigChange = { source: ConfigSource; stage: boolean }

/**
 * Lets `edit` change one of the two config files, and stages it where it did. Gives the config as it is then.
 * @throws what `edit` throws; CONFLICT when git ignores the file
 */
export async function changeConfig(
  project: Project,
  { source, stage }: ConfigChange,
  edit: (file: ConfigFile) => Promise<void>,
): Promise<Config> {
  const { repository } = project
  const paths = configPathsOf(repository)
  const file = { path: paths[source], source }
  const before = await readConfigFile(file.path)
  await edit(file)
  if (stage && source === 'committed' && (await readConfigFile(file.path)) !== before) {
    await stagePaths(repository, [relative(repository.root, file.path)])
  }
  return loadConfig(paths)
}
