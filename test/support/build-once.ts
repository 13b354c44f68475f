import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'

/**
 * Builds dist/ before the first test, so that what is tested is what the sources say. A build that fails leaves no
 * program: the tests that run it fail, all others still tell what they know.
 */
export default function buildOnce(): void {
  try {
    execFileSync(process.execPath, ['build.mjs'], { stdio: 'inherit' })
  } catch {
    rmSync('dist/varve.js', { force: true })
  }
}
