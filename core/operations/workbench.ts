import { createHash } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import type { RemoteConfig } from '../config/config.ts'
import { PLACE_KEYS } from '../config/config-keys.ts'
import { findRemote } from '../config/find-remote.ts'
import { VarveError } from '../errors.ts'
import type { OnProgress } from '../progress.ts'
import { openProject, type Project } from '../project.ts'
import type { Remote } from '../remote.ts'
import { OwnPacks } from '../store/own-packs.ts'
import { Store } from '../store/store.ts'
import { lazyRemote } from '../transfer/objects/lazy-remote.ts'
import type { OnMended } from '../transfer/objects/until-undamaged.ts'
import { RemoteView } from '../transfer/view/remote-view.ts'
import { createWorkers, type Workers } from '../workers/workers.ts'
import { StatCache } from '../workspace/stat-cache.ts'
import { WorkspaceState } from '../workspace/workspace-state.ts'

/** What a caller of the library lends to it: core knows no kind of remote, no terminal, no process. */
export type Surroundings = {
  openRemote: (remote: RemoteConfig, place: RemoteSurroundings) => Promise<Remote>
  /** The built entry of worker threads; without it everything runs in one thread. */
  workerScript?: URL | undefined
  threads: number
  onProgress?: OnProgress | undefined
  /** Told of what had arrived damaged from a remote, once it is here. */
  onMended?: OnMended | undefined
  signal?: AbortSignal | undefined
}

export type RemoteSurroundings = {
  /** What a relative path in the URL is read from. */
  baseFolder: string
  /** What this clone keeps for itself. */
  localFolder: string
}

/** A project with its store, stat cache, threads and remotes at hand: each opened when it is first used. */
export class Workbench {
  readonly project: Project
  readonly surroundings: Surroundings
  readonly workers: Workers
  #store: Store | undefined
  #cache: StatCache | undefined
  #state: WorkspaceState | undefined
  readonly #views = new Map<string, RemoteView>()

  private constructor(project: Project, surroundings: Surroundings) {
    this.project = project
    this.surroundings = surroundings
    const { threads, workerScript } = surroundings
    this.workers = createWorkers({ threads, ...(workerScript && { script: workerScript }) })
  }

  /** @throws NOT_A_REPOSITORY, NOT_INITIALISED, BAD_CONFIG */
  static async open(cwd: string, surroundings: Surroundings): Promise<Workbench> {
    return new Workbench(await openProject(cwd), surroundings)
  }

  /** Opens the project at `cwd`, does the work, and closes what was opened, however it ends. */
  static async with<T>(
    cwd: string,
    surroundings: Surroundings,
    work: (workbench: Workbench) => Promise<T>,
  ): Promise<T> {
    const workbench = await Workbench.open(cwd, surroundings)
    try {
      return await work(workbench)
    } finally {
      await workbench.close()
    }
  }

  get root(): string {
    return this.project.repository.root
  }

  get store(): Store {
    this.#store ??= Store.open(
      this.project.storeFolder,
      OwnPacks.open(join(this.project.localFolder, 'own-packs')),
    )
    return this.#store
  }

  get cache(): StatCache {
    this.#cache ??= StatCache.open(this.project.statCacheFolder)
    return this.#cache
  }

  get state(): WorkspaceState {
    const folder = join(this.project.repository.gitDir, 'varve')
    this.#state ??= WorkspaceState.open(join(folder, 'workspace.json'))
    return this.#state
  }

  get onProgress(): OnProgress | undefined {
    return this.surroundings.onProgress
  }

  get signal(): AbortSignal | undefined {
    return this.surroundings.signal
  }

  /**
   * The remote of that name, or the default one; it is opened when it is first asked for something.
   * @throws NO_REMOTE, NOT_FOUND, USAGE, BAD_CONFIG
   */
  remote(name?: string): RemoteView {
    const { config } = this.project
    const found = findRemote(config, name)
    const known = this.#views.get(found.name)
    if (known !== undefined) return known
    const url = found.settings.get('url')?.value
    if (url === undefined) {
      throw new VarveError('BAD_CONFIG', `the remote ${found.name} has no url`, {
        hint: `Set it with \`varve remote set ${found.name} url URL\`.`,
      })
    }
    const open = () => this.surroundings.openRemote(found, remoteSurroundingsOf(this.project))
    const view = new RemoteView({
      remote: lazyRemote(url, open),
      folder: join(this.project.localFolder, 'remotes', folderNameOf(found.settings)),
      repositoryId: config.repositoryId,
      onMended: this.surroundings.onMended,
    })
    this.#views.set(found.name, view)
    return view
  }

  async close(): Promise<void> {
    for (const view of this.#views.values()) view.close()
    this.#store?.close()
    this.#cache?.flush()
    this.#cache?.close()
    await this.workers.close()
  }
}

/** The same for all linked worktrees, wherever they lie. */
export function remoteSurroundingsOf({ repository, localFolder }: Project): RemoteSurroundings {
  const { commonDir, root } = repository
  return { baseFolder: basename(commonDir) === '.git' ? dirname(commonDir) : root, localFolder }
}

/** What is known of a remote belongs to its place: another one under the same name starts afresh. */
export function folderNameOf(settings: RemoteConfig['settings']): string {
  const [urlKey, ...keys] = PLACE_KEYS
  const hash = createHash('sha256').update(settings.get(urlKey!)?.value ?? '')
  for (const key of keys) {
    const setting = settings.get(key)
    if (setting !== undefined) hash.update(`\n${key}: ${setting.value}`)
  }
  return hash.digest('hex').slice(0, 32)
}
