import { join } from 'node:path'
import { contentIdFromDigest } from '../../core/content-id.ts'
import { PathFilter } from '../../core/path-filter.ts'
import { Store } from '../../core/store/store.ts'
import { pushVersions } from '../../core/transfer/push/push-versions.ts'
import { RemoteView } from '../../core/transfer/view/remote-view.ts'
import { createFileRemote } from '../../remotes/file.ts'
import { addVersion } from './build-store.ts'

export type PushMany = {
  remoteFolder: string
  /** The clone's own. */
  folder: string
  repositoryId: string
  /** Tells the versions of this process from those of others. */
  label: string
  count: number
}

/** The content of a version, from which whoever reads it can tell that it is right. */
export function contentOf(label: string, i: number): Record<string, string> {
  return { same: 'the same for all', own: `version ${i} of ${label}` }
}

/** Adds versions and pushes each by itself, as a clone with a process of its own. */
export async function pushMany({
  remoteFolder,
  folder,
  repositoryId,
  label,
  count,
}: PushMany): Promise<void> {
  const store = Store.open(join(folder, 'store'))
  for (let i = 0; i < count; i++) {
    const remote = createFileRemote({ folder: remoteFolder })
    const view = new RemoteView({ remote, folder: join(folder, 'view'), repositoryId })
    const entry = addVersion(store, contentOf(label, i), `${label} ${i}`)
    if (entry.kind === 'link') throw new Error('a link has no bytes')
    const { name: path, digest, sizeBytes } = entry
    const version = { path, id: contentIdFromDigest(digest), entry, sizeBytes }
    await view.prepare()
    await view.refreshRecords()
    await view.refreshIndex()
    await pushVersions({
      store,
      view,
      versions: [{ ...version, filter: PathFilter.everything, only: undefined }],
      onMissing: 'refuse',
      repositoryId,
      who: label,
      commits: [],
      jobs: 2,
    })
    view.close()
  }
  store.close()
}
