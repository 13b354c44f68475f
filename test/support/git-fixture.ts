import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach } from 'vitest'

/**
 * Real git repositories in temporary folders, untouched by the settings of the machine. Importing this file
 * prepares the environment of the test process and removes each test's folders when the test is over.
 */
for (const name of Object.keys(process.env)) {
  if (name.startsWith('GIT_')) delete process.env[name]
}
Object.assign(process.env, {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Ada Author',
  GIT_AUTHOR_EMAIL: 'ada@example.org',
  GIT_COMMITTER_NAME: 'Cleo Committer',
  GIT_COMMITTER_EMAIL: 'cleo@example.org',
})

const folders: string[] = []
let clock = Date.UTC(2024, 0, 1)

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** An empty folder of this test, by its real path. */
export function makeFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'varve-test-')))
  folders.push(folder)
  return folder
}

/** An empty repository on the branch `main`; gives its root. `name` is that of its folder. */
export function makeRepository(name = 'repository'): string {
  const root = join(makeFolder(), name)
  mkdirSync(root)
  git(root, 'init', '--quiet', '--initial-branch=main')
  return root
}

/** Runs git and gives what it printed, without the last line break. Each call is a minute after the one before. */
export function git(cwd: string, ...args: string[]): string {
  clock += 60_000
  const date = new Date(clock).toISOString()
  return execFileSync('git', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date },
  }).replace(/\n$/, '')
}

/** Writes files below `root`, with the folders they need. */
export function writeFiles(root: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    const file = join(root, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
}

/** Stages everything and commits it, after writing `files`; gives the commit. */
export function commitAll(
  root: string,
  message: string,
  files: Readonly<Record<string, string | Uint8Array>> = {},
): string {
  writeFiles(root, files)
  git(root, 'add', '--all')
  git(root, 'commit', '--quiet', '--allow-empty', '--message', message)
  return git(root, 'rev-parse', 'HEAD')
}
