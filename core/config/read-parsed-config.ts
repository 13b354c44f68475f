import type { ConfigFile } from './config.ts'
import type { ParsedConfig } from './parse-config.ts'
import { readConfigFile } from './read-config-file.ts'

/**
 * What one config file says; undefined when there is none. The YAML library is loaded only when there is.
 *
 * @throws TOO_NEW, CONFLICT, BAD_CONFIG as `parseConfig` does.
 */
export async function readParsedConfig(file: ConfigFile): Promise<ParsedConfig | undefined> {
  const text = await readConfigFile(file.path)
  if (text === undefined) return undefined
  const { parseConfig } = await import('./parse-config.ts')
  return parseConfig(text, file)
}
