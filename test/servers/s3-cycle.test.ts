import { randomBytes } from 'node:crypto'
import { rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { createBucket, describeRealS3Servers, environmentOf } from '../support/real-s3.ts'
import { runVarve, varve, varveJson } from '../support/run-varve.ts'
import { treeOf } from '../support/tree-of.ts'

type Requests = { requests: Record<string, number> }

/** More than a part of an upload, and more than a pack would share with others. */
const LARGE_BYTES = 20 << 20

describeRealS3Servers('a whole cycle on a real server', (server) => {
  const env = environmentOf(server)

  // The root of the bucket, and a place in it.
  test.each(['', '/a prefix/of its own'])('from add to another clone and back, at "%s"', async (prefix) => {
    const bucket = await createBucket(server)
    const root = makeRepository()
    const here = { cwd: root, env }
    await varve(['init'], here)
    const small = Array.from({ length: 300 }, (_, i) => [`data/many/${i}.txt`, `file ${i}\n`.repeat(i)])
    writeFiles(root, {
      ...Object.fromEntries(small),
      'data/large.bin': randomBytes(LARGE_BYTES),
      'data/empty.txt': '',
      'models/a.onnx': randomBytes(5000),
    })
    symlinkSync('large.bin', join(root, 'data/link'))
    await varve(['add', 'data', 'models/a.onnx'], here)
    const { endpointUrl, region } = server
    const where = ['--endpoint-url', endpointUrl, '--region', region]
    await varve(['remote', 'add', 'origin', `s3://${bucket}${prefix}`, ...where], here)
    commitAll(root, 'first')
    const pushed = await varveJson<Requests & { versions: unknown[] }>(['push'], here)
    expect(pushed.versions).toHaveLength(2)

    const clone = join(makeFolder(), 'clone')
    git(root, 'clone', '--quiet', root, clone)
    const there = { cwd: clone, env }
    const refused = await runVarve(['pull'], there)
    expect(refused.exitCode).not.toBe(0)
    expect(refused.stderr).toContain('varve trust origin')
    await varve(['trust', 'origin'], there)
    const pulled = await runVarve(['pull'], there)
    expect(pulled.stderr).not.toMatch(/warning|error/i)
    expect(pulled.exitCode).toBe(0)
    expect(treeOf(clone)).toEqual(treeOf(root))
    expect(git(clone, 'status', '--porcelain')).toBe('')

    writeFiles(clone, { 'data/many/7.txt': 'changed\n', 'data/new/deep/file.txt': 'new\n' })
    rmSync(join(clone, 'data/many/8.txt'))
    await varve(['add', 'data'], there)
    commitAll(clone, 'second')
    const second = await varveJson<{ bytes: number }>(['push'], there)
    expect(second.bytes).toBeLessThan(100_000)
    const again = await varveJson<Requests>(['push'], there)
    expect(Object.entries(again.requests).filter(([, count]) => count > 0)).toEqual([['list', 1]])
    const told = await runVarve(['remote', 'test', 'origin', '-v'], there)
    expect(told).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(bucket) })
    expect(told.stdout + told.stderr).not.toContain(server.secretAccessKey)

    git(root, 'pull', '--quiet', clone, 'main')
    const back = await varveJson<{ fetched: { bytes: number } }>(['pull'], here)
    expect(back.fetched.bytes).toBeLessThan(100_000)
    expect(treeOf(root)).toEqual(treeOf(clone))
  })
})
