import type { Repository } from './repository.ts'
import { runGit } from './run-git.ts'

export type UserIdentity = { name: string; email: string }

/** Who git says commits here; undefined when the user has not told git, rather than git's guess. */
export async function userIdentity(repository: Repository): Promise<UserIdentity | undefined> {
  const { stdout } = await runGit(repository.root, ['var', 'GIT_COMMITTER_IDENT'], {
    okExitCodes: [0, 128],
    config: { 'user.useConfigOnly': 'true' },
  })
  // NAME <EMAIL> SECONDS ZONE
  const match = /^(.*) <([^<>]*)> \d+ [+-]\d{4}\n$/.exec(stdout.toString('utf8'))
  return match === null ? undefined : { name: match[1]!, email: match[2]! }
}
