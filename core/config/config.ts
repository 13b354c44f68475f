/** Where a value was read: `varve.yaml`, which clones share, or this clone's own file. */
export type ConfigSource = 'committed' | 'local'

export type Sourced<T> = { readonly value: T; readonly source: ConfigSource }

/** 32 random lower-case hex digits, the same in every clone. */
export type RepositoryId = string & { readonly [repositoryIdBrand]: true }
declare const repositoryIdBrand: unique symbol

export type RemoteConfig = {
  readonly name: string
  /** `url` and the other settings of the remote, each with where it came from. */
  readonly settings: ReadonlyMap<string, Sourced<string>>
}

/** Both files as one: a local value stands before a committed one, key by key. */
export type Config = {
  readonly repositoryId: RepositoryId
  /** Absolute path of the store, when it is not the default. */
  readonly store: Sourced<string> | undefined
  readonly remotes: ReadonlyMap<string, RemoteConfig>
  /** The name as it was set; it may name a remote that is gone. See `findRemote`. */
  readonly defaultRemote: Sourced<string> | undefined
}

export type ConfigFile = { readonly path: string; readonly source: ConfigSource }

export type ConfigPaths = { readonly committed: string; readonly local: string }
