import { lstatSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import ignore, { type Ignore } from 'ignore'
import { fromSystemError, VarveError } from '../errors.ts'

export const IGNORE_FILE_NAME = '.varveignore'

/** The rules of one `.varveignore`. `prefix` leads from its directory to the one being scanned: '' or 'a/b/'. */
type Level = { matcher: Ignore; prefix: string }

/** The matcher remembers every path it was asked about; this many, and it is made to forget. */
const MEMORY_LIMIT = 10_000

/**
 * Which files of one directory `.varveignore` files leave out, in gitignore syntax: those at the repository root
 * and in every directory from there down, a deeper one overruling. Case counts on every platform, so that a
 * directory has the same content on all of them. Immutable; without any `.varveignore` it costs nothing to ask.
 */
export class IgnoreRules {
  /** From the root down. */
  readonly #levels: readonly Level[]
  #asked = 0

  private constructor(levels: readonly Level[]) {
    this.#levels = levels
  }

  /**
   * The rules for the entries of `directory`, an absolute path at or below `repositoryRoot`. Rules that match
   * `directory` itself, or one above it, do not count: who names a directory means it.
   * @throws OUTSIDE_REPOSITORY, NO_PERMISSION
   */
  static load(repositoryRoot: string, directory: string): IgnoreRules {
    let rules = new IgnoreRules([]).#withFileOf(repositoryRoot)
    const below = relative(repositoryRoot, directory)
    if (below === '') return rules
    let path = repositoryRoot
    for (const name of below.split(sep)) {
      if (name === '..' || path === name) {
        throw new VarveError(
          'OUTSIDE_REPOSITORY',
          `${directory} lies outside the repository ${repositoryRoot}`,
        )
      }
      path = join(path, name)
      rules = rules.enter(name, path)
    }
    return rules
  }

  /** The rules for the entries of a child directory, which was found not to be ignored. */
  enter(childDirectoryName: string, childAbsolutePath: string): IgnoreRules {
    if (this.#levels.length === 0) return this.#withFileOf(childAbsolutePath)
    const levels = this.#levels.map(({ matcher, prefix }) => {
      const path = `${prefix}${childDirectoryName}/`
      // The matcher leaves out all below a directory that it ignores. The child is not ignored, all levels taken
      // together, so the one level that says so must not have the last word on what is in it.
      const overruled = matcher.test(path).ignored
      return {
        matcher: overruled
          ? newMatcher()
              .add(matcher)
              .add(`!/${escapePattern(path)}`)
          : matcher,
        prefix: path,
      }
    })
    return new IgnoreRules(levels).#withFileOf(childAbsolutePath)
  }

  isIgnored(name: string, isDirectory: boolean): boolean {
    if (this.#levels.length === 0) return false
    if (++this.#asked % MEMORY_LIMIT === 0) this.#forget()
    for (let i = this.#levels.length - 1; i >= 0; i--) {
      const { matcher, prefix } = this.#levels[i]!
      const { ignored, unignored } = matcher.test(isDirectory ? `${prefix}${name}/` : prefix + name)
      if (ignored || unignored) return ignored
    }
    return false
  }

  #withFileOf(directory: string): IgnoreRules {
    const text = readIgnoreFile(join(directory, IGNORE_FILE_NAME))
    if (text === undefined) return this
    return new IgnoreRules([...this.#levels, { matcher: newMatcher().add(text), prefix: '' }])
  }

  /** Adding rules, be they none, is what empties a matcher's memory. */
  #forget(): void {
    for (const { matcher } of this.#levels) matcher.add(newMatcher())
  }
}

function newMatcher(): Ignore {
  return ignore({ ignorecase: false, allowRelativePaths: true })
}

function escapePattern(path: string): string {
  return path.replace(/[\\*?[\]]/g, '\\$&')
}

/** As git does, only a regular file counts: a link could lead out of the repository. */
function readIgnoreFile(path: string): string | undefined {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false })
    return stats?.isFile() ? readFileSync(path, 'utf8') : undefined
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw fromSystemError(error, `reading ${path}`)
  }
}
