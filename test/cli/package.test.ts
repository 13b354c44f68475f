import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

type Packed = { filename: string; size: number; files: { path: string; mode: number }[] }

const folder = mkdtempSync(join(tmpdir(), 'varve-package-'))
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  version: string
  dependencies: Record<string, string>
}
let packed: Packed

beforeAll(() => {
  // dist/ was built before the first test; a build now would pull files away from under other tests.
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]
  const report = JSON.parse(execFileSync('npm', args, { encoding: 'utf8' })) as
    | Packed[]
    | Record<string, Packed>
  packed = Object.values(report)[0]!
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('the package', () => {
  it('holds what is needed and nothing else', () => {
    const paths = packed.files.map(({ path }) => path).sort()
    const needed = ['LICENSE', 'README.md', 'CHANGELOG.md', 'package.json', 'dist/THIRD_PARTY_LICENSES.txt']
    expect(paths).toEqual(expect.arrayContaining([...needed, 'dist/varve.js', 'dist/worker.js']))
    const others = paths.filter((path) => !needed.includes(path) && !/^dist\/[\w.-]+\.js$/.test(path))
    expect(others).toEqual([])
    expect(packed.files.find(({ path }) => path === 'dist/varve.js')!.mode & 0o111).not.toBe(0)
  })

  it('is small', () => {
    expect(packed.size).toBeLessThan(2_000_000)
  })

  it('names the licence of every package that is bundled', () => {
    const text = readFileSync('dist/THIRD_PARTY_LICENSES.txt', 'utf8')
    expect(text).toMatch(/^yargs \d/m)
    expect(text).toMatch(/^picocolors \d/m)
    expect(text).not.toMatch(/^esbuild \d/m)
  })

  it('installs globally, and runs with nothing beside it', { timeout: 240_000 }, () => {
    const prefix = join(folder, 'prefix')
    execFileSync(
      'npm',
      [
        ...['install', '--global', '--prefix', prefix, '--prefer-offline', '--no-audit', '--no-fund'],
        join(folder, packed.filename),
      ],
      { cwd: folder, encoding: 'utf8', stdio: 'pipe' },
    )
    const program = join(prefix, 'bin', 'varve')
    const run = (...args: string[]) => execFileSync(program, args, { cwd: folder, encoding: 'utf8' })
    expect(run('--version')).toBe(`varve ${manifest.version}\n`)
    expect(run('version')).toContain(manifest.version)
    expect(run('help')).toContain('completion')
    expect(run('help', 'completion')).toContain('Usage: varve completion')
    const installed = join(prefix, 'lib', 'node_modules', 'varve')
    for (const name of Object.keys(manifest.dependencies)) {
      expect([name, existsSync(join(installed, 'node_modules', name))]).toEqual([name, true])
    }
    expect(statSync(join(installed, 'dist', 'varve.js')).mode & 0o111).not.toBe(0)
  })
})
