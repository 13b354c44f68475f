#!/usr/bin/env node
import { writeSync } from 'node:fs'
import { version } from './version.ts'

const argv = process.argv.slice(2)

// Scripts ask for the version often: it is answered before anything else is loaded.
if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  writeSync(1, `varve ${version}\n`)
} else {
  const [{ runProcess }, { commandTable }] = await Promise.all([
    import('./run-process.ts'),
    import('./command-table.ts'),
  ])
  await runProcess(argv, commandTable)
}
