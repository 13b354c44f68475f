import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

type Package = { name?: string; hasInstallScript?: boolean }

const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
const packages: Record<string, Package> = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages

// npm 11 asks `allowScripts`. npm 10 asks the lock file, so there ssh2 must not be marked: `npm install` writes the mark
// when it takes ssh2 anew, and it has to be taken out again by hand. What ssh2 would compile, headers and all that it
// would fetch for that, is not used.
test('only esbuild runs a script when packages are installed', () => {
  const marked = Object.keys(packages).filter((path) => packages[path]!.hasInstallScript)
  expect(marked).toEqual(['node_modules/esbuild'])
  expect(manifest.allowScripts).toEqual({ esbuild: true, ssh2: false })
})

// npm 10 compiles any package that has a binding.gyp, marked or not. Another name stands in for it: one that ssh2 needs
// in any case, and that does not answer as this one does, so that ssh2 goes on without.
test('cpu-features is not installed', () => {
  const paths = Object.keys(packages).filter((path) => path.endsWith('/cpu-features'))
  expect(paths.map((path) => packages[path]!.name)).toEqual(['asn1'])
})
