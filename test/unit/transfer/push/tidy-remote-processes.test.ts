import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TreeEntry } from '../../../../core/format/tree.ts'
import { createFileRemote } from '../../../../remotes/file.ts'
import { addVersion } from '../../../support/build-store.ts'
import { contentOf, type PushMany } from '../../../support/push-many.ts'
import { fetch, keysOf, makeClone, push, REPOSITORY, readVersion } from '../../../support/remote-fixture.ts'
import { makeTemporaryFolder } from '../../../support/temporary-folder.ts'

const PROCESSES = 4
const PUSHES = 9
const repository = fileURLToPath(new URL('../../../..', import.meta.url))
/** Beside the packages that it needs. */
const program = join(repository, `node_modules/.cache/push-many-${process.pid}.mjs`)

beforeAll(async () => {
  const contents = `import { pushMany } from './test/support/push-many.ts'
await pushMany(JSON.parse(process.argv[2]))`
  await build({
    stdin: { contents, resolveDir: repository, loader: 'ts' },
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'silent',
  })
})

afterAll(() => rmSync(program, { force: true }))

async function run(options: PushMany): Promise<void> {
  const child = spawn(process.execPath, [program, JSON.stringify(options)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (text) => {
    said += text
  })
  const [code] = await once(child, 'close')
  expect([code, said]).toEqual([0, ''])
}

test('processes that push to one remote at once, and merge while they do, lose nothing', async () => {
  const remoteFolder = join(makeTemporaryFolder(), 'remote')
  mkdirSync(remoteFolder)
  const labels = Array.from({ length: PROCESSES }, (_, i) => `process ${i}`)
  const start = (label: string) =>
    run({ remoteFolder, folder: makeTemporaryFolder(), repositoryId: REPOSITORY, label, count: PUSHES })
  await Promise.all(labels.map(start))

  const remote = createFileRemote({ folder: remoteFolder })
  expect((await keysOf(remote)).some((key) => key.endsWith('.bundle'))).toBe(true)
  const author = makeClone(remote)
  const entries: TreeEntry[] = labels.flatMap((label) =>
    Array.from({ length: PUSHES }, (_, i) => addVersion(author.store, contentOf(label, i), `${label} ${i}`)),
  )

  const expectAllReadable = async () => {
    const reader = makeClone(remote)
    await fetch(reader, entries)
    for (const entry of entries)
      expect(readVersion(reader.store, entry)).toEqual(readVersion(author.store, entry))
    expect(reader.view.records.size).toBeGreaterThanOrEqual(PROCESSES * PUSHES)
    await reader.view.refreshIndex()
    // Merged again and again, there are no more than two classes of segments.
    expect(reader.view.index.names.length).toBeLessThan(PROCESSES * PUSHES)
    for (const pack of await keysOf(remote, 'packs/')) {
      expect(reader.view.index.packs()).toContain(pack.slice(-69, -5))
    }
  }
  await expectAllReadable()

  // A day later everything that was replaced goes, and nothing else.
  const before = await keysOf(remote, 'index/')
  const dayBefore = Date.now() / 1000 - 25 * 3600
  for (const key of await keysOf(remote)) utimesSync(join(remoteFolder, key), dayBefore, dayBefore)
  for (const name of ['first', 'second', 'third']) {
    await push(author, [addVersion(author.store, { name }, name)])
  }
  const after = await keysOf(remote, 'index/')
  expect(before.filter((key) => after.includes(key)).length).toBeLessThan(before.length)
  await expectAllReadable()
})
