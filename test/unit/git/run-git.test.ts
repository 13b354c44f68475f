import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { gitFailure } from '../../../core/git/git-failure.ts'
import { runGit } from '../../../core/git/run-git.ts'
import { streamGit } from '../../../core/git/stream-git.ts'
import { commitAll, makeFolder, makeRepository } from '../../support/git-fixture.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

test('gives all of a large output, byte for byte', async () => {
  const root = makeRepository()
  const bytes = Buffer.alloc(
    3_000_000,
    Uint8Array.from({ length: 251 }, (_, at) => at),
  )
  commitAll(root, 'large', { large: bytes })
  expect((await runGit(root, ['cat-file', 'blob', 'HEAD:large'])).stdout.equals(bytes)).toBe(true)
})

test('hands on input, and gives exit codes that are answers', async () => {
  const root = makeRepository()
  const hashed = await runGit(root, ['hash-object', '--stdin'], { input: 'hello\n' })
  expect(hashed.stdout.toString()).toBe('ce013625030ba8dba906f756967f9e9ca394464a\n')
  const missing = await runGit(root, ['rev-parse', '--verify', '--quiet', 'nope'], { okExitCodes: [0, 1] })
  expect(missing.exitCode).toBe(1)
})

test('a git that fails is an error with its first line of complaint', async () => {
  const root = makeRepository()
  await expect(runGit(root, ['cat-file', 'blob', 'nope'])).rejects.toMatchObject({
    name: 'VarveError',
    message: 'git cat-file: Not a valid object name nope',
  })
})

test('a git that a signal ended was interrupted', () => {
  expect(gitFailure({ args: ['log', '-1'], code: null, signal: 'SIGTERM', stderr: '' })).toMatchObject({
    code: 'INTERRUPTED',
    message: 'interrupted: git log was ended by SIGTERM',
  })
})

test('a git that ends before it has read its input is judged by its exit code', async () => {
  const input = 'x'.repeat(4_000_000)
  await expect(runGit(makeRepository(), ['cat-file', '--nonsense'], { input })).rejects.toMatchObject({
    message: expect.stringContaining('nonsense'),
  })
})

test('a machine without git is told to install it', async () => {
  const root = makeRepository()
  vi.stubEnv('PATH', makeFolder())
  const expected = { code: 'NOT_A_REPOSITORY', hint: expect.stringContaining('Install git') }
  await expect(runGit(root, ['status'])).rejects.toMatchObject(expected)
  await expect(streamGit(root, ['status']).next()).rejects.toMatchObject(expected)
})

test("the user's language, pager and pathspec magic do not reach a call", async () => {
  const root = makeRepository()
  commitAll(root, 'first', { '*.txt': '1', 'b.txt': '2' })
  vi.stubEnv('GIT_ICASE_PATHSPECS', '1')
  vi.stubEnv('GIT_GLOB_PATHSPECS', '1')
  vi.stubEnv('GIT_PAGER', 'false')
  vi.stubEnv('LC_ALL', 'de_DE.UTF-8')
  const { stdout } = await runGit(root, ['ls-files', '--', '*.txt'])
  expect(stdout.toString()).toBe('*.txt\n')
})

test('an environment that names another index is respected, as hooks need it', async () => {
  const root = makeRepository()
  commitAll(root, 'first', { 'a.txt': '1' })
  vi.stubEnv('GIT_INDEX_FILE', join(root, '.git/other-index'))
  expect((await runGit(root, ['ls-files'])).stdout.toString()).toBe('')
})

test('a stream that is left early ends git', async () => {
  const root = makeRepository()
  writeFileSync(join(root, 'large'), Buffer.alloc(8_000_000, 'x'))
  commitAll(root, 'large')
  for await (const piece of streamGit(root, ['cat-file', 'blob', 'HEAD:large'])) {
    expect(piece[0]).toBe(0x78)
    break
  }
})

test('a NUL in an argument is refused before git is started', async () => {
  await expect(runGit(makeRepository(), ['rev-parse', 'a\0b'])).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test.each([
  ['fatal: not a git repository (or any of the parent directories): .git', 'NOT_A_REPOSITORY'],
  ["fatal: detected dubious ownership in repository at '/x'", 'NOT_A_REPOSITORY'],
  ["fatal: Unable to create '/x/.git/index.lock': File exists.", 'CONFLICT'],
  ['warning: something\nfatal: bad revision nope', 'NOT_FOUND'],
  ['error: unable to write file: No space left on device', 'NO_SPACE'],
  ['error: open("x"): Permission denied', 'NO_PERMISSION'],
  ['fatal: something else', 'IO'],
])('%j means %s', (stderr, code) => {
  expect(gitFailure({ args: ['add'], code: 128, signal: null, stderr }).code).toBe(code)
})

test('only a lock that will go away is worth another try', () => {
  const stderr = "fatal: Unable to create '/x/.git/index.lock': File exists."
  expect(gitFailure({ args: ['add'], code: 128, signal: null, stderr }).retryable).toBe(true)
  expect(gitFailure({ args: ['add'], code: 128, signal: null, stderr: 'fatal: x' }).retryable).toBe(false)
  expect(gitFailure({ args: ['add'], code: null, signal: 'SIGINT', stderr: '' }).code).toBe('INTERRUPTED')
})
