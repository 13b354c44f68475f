import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeRepository, writeFiles } from '../support/git-fixture.ts'
import { varve, varveJson } from '../support/run-varve.ts'

type Added = { added: { path: string; change: string; files: number }[]; storedBytes: number }

test('files that are tracked one by one share their packs, and are looked up together', async () => {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  const names = Array.from({ length: 60 }, (_, index) => `${index}.csv`)
  writeFiles(root, Object.fromEntries(names.map((name) => [`data/${name}`, `id,value\n${name},1\n`])))
  const { added } = await varveJson<Added>(['add', 'data/*.csv', '--no-stage'], { cwd: root })
  expect(added).toHaveLength(60)
  const packs = readdirSync(join(root, '.git/varve/packs'), { recursive: true, encoding: 'utf8' })
  expect(packs.filter((name) => name.endsWith('.pack')).length).toBeLessThan(5)

  writeFiles(root, { 'data/7.csv': 'id,value\n7,2\n' })
  const again = await varveJson<Added>(['add', 'data/*.csv', '--no-stage'], { cwd: root })
  expect(again.added.filter(({ change }) => change !== 'unchanged')).toMatchObject([
    { path: 'data/7.csv', change: 'updated', files: 1 },
  ])
})
