import fs from 'node:fs'
import path from 'node:path'
import { measure } from './measure.mjs'
import { varve } from './peers/varve.mjs'

/**
 * The environment of every tool: nothing of the user's own but PATH and the language, a home below `folder`, and
 * `varve` first in PATH.
 */
export function makeEnvironment(folder, varveScript) {
  const home = path.join(folder, 'home')
  const programs = path.join(home, 'bin')
  const temporary = path.join(home, 'tmp')
  fs.mkdirSync(programs, { recursive: true })
  fs.mkdirSync(temporary)
  fs.writeFileSync(
    path.join(programs, 'varve'),
    `#!/bin/sh\nexec '${process.execPath}' '${varveScript}' "$@"\n`,
    { mode: 0o755 },
  )
  fs.writeFileSync(
    path.join(home, '.gitconfig'),
    '[user]\n\tname = Bench\n\temail = bench@example.org\n[init]\n\tdefaultBranch = main\n[gc]\n\tauto = 0\n',
  )
  return {
    PATH: `${programs}:${process.env.PATH}`,
    LANG: process.env.LANG ?? 'C.UTF-8',
    HOME: home,
    TMPDIR: temporary,
    GIT_CONFIG_NOSYSTEM: '1',
    RESTIC_PASSWORD_FILE: path.join(home, 'restic-password'),
    BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
    BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
    DVC_SITE_CACHE_DIR: path.join(home, 'dvc'),
  }
}

/** Readies a tool in this environment; gives its version, or nothing where it is not installed. */
export async function setUp(tool, { folder, env }) {
  try {
    // Of a pipe's parts, it is the first that tells whether the tool is there.
    const { output } = await measure(`set -o pipefail; ${tool.version}`, { cwd: folder, env })
    if (tool.setUp !== undefined) await measure(tool.setUp, { cwd: folder, env })
    return output.trim()
  } catch (error) {
    if (tool === varve) throw error
    return undefined
  }
}
