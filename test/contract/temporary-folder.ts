import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export async function makeTemporaryFolder(): Promise<{ folder: string; cleanUp: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'varve-remote-'))
  return { folder, cleanUp: () => rm(folder, { recursive: true, force: true }) }
}
