import picomatch from 'picomatch'

/**
 * Which paths of the repository a command is about: some paths with all below them, and patterns
 * (`images/train/**\/*.png`), which match as in a shell where `**` is any number of directories. A name may itself
 * look like a pattern (`a(1).csv`): a pattern means the path that is written like it, too. No name holds a backslash:
 * one takes the next character's meaning away.
 */
export class PathFilter {
  readonly #rules: { base: string; matches: ((path: string) => boolean) | undefined }[]
  #passesFiles = true

  /** `paths` are relative to the repository root; '' is all of it. Those with wildcards are patterns. */
  constructor(paths: readonly string[]) {
    this.#rules = paths.map((path) => {
      const itself = path.replace(/\\(.)/g, '$1')
      const { base, isGlob } = scan(path)
      if (!isGlob) return { base: itself, matches: undefined }
      const options = { dot: true, nonegate: true }
      const whole = picomatch(path, options)
      const below = picomatch(`${path}/**`, options)
      const matches = (candidate: string) =>
        isAtOrBelow(candidate, itself) || whole(candidate) || below(candidate)
      return { base: base === '.' ? '' : base, matches }
    })
  }

  static readonly everything = new PathFilter([''])

  /** The same for paths that mean themselves, whatever characters are in them. */
  static literal(paths: readonly string[]): PathFilter {
    const filter = new PathFilter([])
    for (const base of paths) filter.#rules.push({ base, matches: undefined })
    return filter
  }

  /** The same directories, and no file in them: for what listings alone can tell. */
  withoutFiles(): PathFilter {
    const filter = new PathFilter([])
    filter.#rules.push(...this.#rules)
    filter.#passesFiles = false
    return filter
  }

  matches(path: string): boolean {
    if (!this.#passesFiles) return false
    return this.#rules.some(({ base, matches }) => matches?.(path) ?? isAtOrBelow(path, base))
  }

  /** Whether something at or below the directory `path` may match: where not, it need not be looked into. */
  mayMatchBelow(path: string): boolean {
    return this.#rules.some(({ base }) => isAtOrBelow(path, base) || isAtOrBelow(base, path))
  }

  /** Whether `path` and everything below it matches. */
  matchesAllBelow(path: string): boolean {
    if (!this.#passesFiles) return false
    return this.#rules.some(({ base, matches }) => matches === undefined && isAtOrBelow(path, base))
  }
}

export function hasWildcards(path: string): boolean {
  return scan(path).isGlob
}

/** The pattern that means this path alone, with all below it. */
export function patternOf(path: string): string {
  // Escaped with a backslash, a brace would make `picomatch.scan` overlook every wildcard after it.
  return path.replace(/[*?[\]()!+@|"'$^]/g, '\\$&').replace(/[{}]/g, '[$&]')
}

function scan(path: string): { base: string; isGlob: boolean } {
  return picomatch.scan(path, { unescape: true, nonegate: true })
}

/** Whether `path` is `base` or lies below it; everything lies below ''. */
export function isAtOrBelow(path: string, base: string): boolean {
  return base === '' || path === base || (path.startsWith(base) && path[base.length] === '/')
}
