/**
 * Whether `text` matches a pattern of `ssh_config` or `known_hosts`: `*` is any run of characters, `?` is one.
 * Linear in time: a pattern from a file must not be able to stall the process.
 */
export function matchesPattern(pattern: string, text: string): boolean {
  let inPattern = 0
  let inText = 0
  let star = -1
  let resume = 0
  while (inText < text.length) {
    const wanted = pattern[inPattern]
    if (wanted === '*') {
      star = inPattern++
      resume = inText
    } else if (wanted !== undefined && (wanted === '?' || wanted === text[inText])) {
      inPattern++
      inText++
    } else if (star >= 0) {
      inPattern = star + 1
      inText = ++resume
    } else return false
  }
  while (pattern[inPattern] === '*') inPattern++
  return inPattern === pattern.length
}

/** A list matches where one pattern does and none that is negated by `!`. */
export function matchesPatternList(patterns: readonly string[], text: string): boolean {
  const matches = (pattern: string) => matchesPattern(pattern, text)
  if (patterns.some((pattern) => pattern.startsWith('!') && matches(pattern.slice(1)))) return false
  return patterns.some((pattern) => !pattern.startsWith('!') && matches(pattern))
}
