import type { Document } from 'yaml'
import type { ConfigFile } from './config.ts'
import { readConfigFile } from './read-config-file.ts'
import { writeFileAtomically } from './write-file-atomically.ts'

/**
 * Changes a config file through its YAML document, so that comments and order stay. The result is checked
 * before it replaces the file; when `edit` changes nothing, nothing is written. A file that is not there
 * counts as an empty one.
 *
 * @throws CONFLICT, TOO_NEW, BAD_CONFIG as for reading it, before or after the edit.
 */
export async function editConfig(file: ConfigFile, edit: (document: Document) => void): Promise<void> {
  const { parseConfig, parseConfigDocument } = await import('./parse-config.ts')
  const before = await readConfigFile(file.path)
  const document = parseConfigDocument(before ?? '', file.path)
  const untouched = String(document)
  edit(document)
  const after = document.toString({ lineWidth: 0 })
  if (before !== undefined && String(document) === untouched) return
  parseConfig(after, file)
  await writeFileAtomically(file.path, after)
}
