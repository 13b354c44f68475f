import { execFileSync } from 'node:child_process'
import fs from 'node:fs'

/** Some tools take the right to write from the folders that they keep. */
export function removeTree(tree) {
  if (!fs.existsSync(tree)) return
  execFileSync('chmod', ['-R', 'u+w', tree])
  fs.rmSync(tree, { recursive: true, force: true })
}
