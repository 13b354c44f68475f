import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkIgnored } from '../../../core/git/check-ignored.ts'
import { discoverRepository } from '../../../core/git/repository.ts'
import { commitAll, makeRepository } from '../../support/git-fixture.ts'

const ODD_NAMES = [':(top)*.varve', '-n.varve', 'a\nb.varve', '"q" é.varve', '*.varve', '!x.varve']

test('a path is ignored by the rules of git, from the root of the repository', async () => {
  const root = makeRepository()
  const names = ODD_NAMES.map((name) => name.replace('.varve', '.log'))
  commitAll(root, 'first', { '.gitignore': '/data\n', 'd/.gitignore': '*.log\n' })
  const repository = await discoverRepository(join(root, 'd'))
  const ignored = names.map((name) => `d/${name}`)
  expect(await checkIgnored(repository, ['data', 'data/x/y', 'd/data', ...ignored, ...names])).toEqual(
    new Set(['data', 'data/x/y', ...ignored]),
  )
})
