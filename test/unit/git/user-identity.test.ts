import { afterEach, expect, test, vi } from 'vitest'
import { discoverRepository } from '../../../core/git/repository.ts'
import { userIdentity } from '../../../core/git/user-identity.ts'
import { git, makeRepository } from '../../support/git-fixture.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

test('the identity is what the user told git, never a guess', async () => {
  const root = makeRepository()
  const repository = await discoverRepository(root)
  expect(await userIdentity(repository)).toEqual({ name: 'Cleo Committer', email: 'cleo@example.org' })
  for (const name of ['GIT_COMMITTER_NAME', 'GIT_COMMITTER_EMAIL', 'EMAIL']) vi.stubEnv(name, undefined)
  expect(await userIdentity(repository)).toBeUndefined()
  git(root, 'config', 'user.name', 'Zoë Q. Ünder')
  git(root, 'config', 'user.email', 'zoe@example.org')
  expect(await userIdentity(repository)).toEqual({ name: 'Zoë Q. Ünder', email: 'zoe@example.org' })
})
