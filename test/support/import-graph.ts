import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

/** Each source file, by its path from the root with slashes, and its text. */
export type Sources = ReadonlyMap<string, string>

/** Each file, and what it imports: other files by path from the root, all else by its specifier. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>

export function readSources(root: string, folders: readonly string[]): Sources {
  const sources = new Map<string, string>()
  for (const folder of folders) {
    if (!existsSync(join(root, folder))) continue
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.(ts|mjs)$/.test(entry.name)) continue
      const path = join(entry.parentPath, entry.name)
      sources.set(posix.relative(root, path), readFileSync(path, 'utf8'))
    }
  }
  return sources
}

export function importGraph(sources: Sources): ImportGraph {
  return new Map(
    [...sources].map(([file, text]) => [
      file,
      importsOf(text).map((specifier) =>
        specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : specifier,
      ),
    ]),
  )
}

/**
 * Static, dynamic and type imports, re-exports, and what is required. It leans on the formatter: a statement
 * begins its line, and lines of comments begin with `//` or `*`.
 */
export function importsOf(text: string): string[] {
  const code = codeOf(text)
  const patterns = [
    /^import\s+(?:type\s+)?[\w$*{},\s]+?\s+from\s+['"]([^'"]+)['"]/gm,
    /^import\s+['"]([^'"]+)['"]/gm,
    /^export\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s+from\s+['"]([^'"]+)['"]/gm,
    /\bimport\(\s*['"]([^'"]+)['"]/g,
    /\brequire\(\s*['"]([^'"]+)['"]/g,
    /\bcreateRequire\([^)]*\)\(\s*['"]([^'"]+)['"]/g,
  ]
  return [...new Set(patterns.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1]!)))]
}

/** The text with the lines of comments emptied; line numbers stay. */
export function codeOf(text: string): string {
  return text
    .split('\n')
    .map((line) => (/^\s*(\/\/|\/\*|\*)/.test(line) ? '' : line.replace(/\s\/\/ .*$/, '')))
    .join('\n')
}

/** One closed walk for each group of files that import each other; none where there is no cycle. */
export function findCycles(graph: ImportGraph): string[][] {
  const cycles: string[][] = []
  const done = new Set<string>()
  const walk: string[] = []
  function visit(file: string): void {
    const start = walk.indexOf(file)
    if (start !== -1) cycles.push([...walk.slice(start), file])
    if (start !== -1 || done.has(file)) return
    walk.push(file)
    for (const imported of graph.get(file) ?? []) if (graph.has(imported)) visit(imported)
    walk.pop()
    done.add(file)
  }
  for (const file of graph.keys()) visit(file)
  return cycles
}
