import type { Metafile } from 'esbuild'
import { beforeAll, describe, expect, it } from 'vitest'

/**
 * What the built program reads before it can work, in place of a timed test: every file reached by static imports
 * from a file that is loaded anyway.
 */
let outputs: Metafile['outputs']
let loaded: (entries: readonly string[]) => { sources: string[]; packages: string[]; sizeBytes: number }

beforeAll(async () => {
  const { bundle } = (await import(new URL('../../build.mjs', import.meta.url).href)) as {
    bundle(): Promise<{ metafile: Metafile }>
  }
  outputs = (await bundle()).metafile.outputs
  loaded = (entries) => {
    const files = new Set(entries.map(outputOf))
    const packages = new Set<string>()
    for (const file of files) {
      for (const { path, kind, external } of outputs[file]!.imports) {
        if (kind !== 'import-statement') continue
        if (!external) files.add(path)
        else if (!path.startsWith('node:') && !NODE_OWN.test(path)) packages.add(path)
      }
    }
    const sources = [...files].flatMap((file) => Object.keys(outputs[file]!.inputs))
    for (const source of sources) {
      const name = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1]
      if (name !== undefined) packages.add(name)
    }
    const sizeBytes = [...files].reduce((sum, file) => sum + outputs[file]!.bytes, 0)
    return { sources, packages: [...packages].sort(), sizeBytes }
  }
})

const NODE_OWN = /^(fs|os|path|util|url|stream|events|assert|tty|module|child_process)(\/|$)/

/** The built file that stands for a source file which is an entry, or is imported dynamically. */
function outputOf(entry: string): string {
  const found = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === entry)
  if (!found) throw new Error(`${entry} is no file of its own in the bundle`)
  return found[0]
}

const FRAME = ['cli/main.ts', 'cli/run-process.ts', 'cli/command-table.ts']

describe('what is loaded', () => {
  it('for --version is next to nothing', () => {
    const { sources, packages, sizeBytes } = loaded(['cli/main.ts'])
    expect(packages).toEqual([])
    expect(sources.sort()).toEqual(['cli/main.ts', 'cli/version.ts'])
    expect(sizeBytes).toBeLessThan(2_000)
  })

  it('for the frame around a command is small: no command, no help, no parser but node’s own', () => {
    const { sources, packages, sizeBytes } = loaded([...FRAME, 'cli/commands/version.ts'])
    expect(packages).toEqual(['picocolors'])
    expect(sources.filter((source) => source.startsWith('core/'))).toEqual(['core/errors.ts'])
    expect(sources.filter((source) => /^cli\/(commands|help|completion)\//.test(source))).toEqual([
      'cli/commands/version.ts',
    ])
    expect(sizeBytes).toBeLessThan(40_000)
  })

  it('for the list of commands holds no yargs', () => {
    expect(loaded([...FRAME, 'cli/help/help.ts']).packages).toEqual(['picocolors'])
  })

  it('for the help of a command holds yargs: this test would see it elsewhere', () => {
    expect(loaded(['cli/help/command-help.ts']).packages).toContain('yargs')
  })
})
