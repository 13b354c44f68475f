export type Mergeable<Name extends string> = { name: Name; sizeBytes: number }

/** From one size class to the next sizes grow by this factor, and as many of one class are merged into one. */
const MEMBERS = 8
/** Below this, size says little: they are all of one class. */
const LEAST_BYTES = 4096
const MAX_PIECES = 1024

/**
 * Which pieces of a log-structured set are to be merged into one each. Where eight are of one size class, all of that
 * class are merged, smallest first, as far as they fit into `mostBytes`; what comes of it may make the next class
 * crowded, and is merged with that at once. So a byte is rewritten once a class, few pieces are left of each, and those
 * that only fit into larger merges stay.
 */
export function planMerges<Name extends string>(
  pieces: readonly Mergeable<Name>[],
  mostBytes: number,
): Name[][] {
  const classes = new Map<number, Group<Name>[]>()
  const put = (group: Group<Name>) => {
    const sizeClass = classOf(group.sizeBytes)
    const members = classes.get(sizeClass)
    if (members === undefined) classes.set(sizeClass, [group])
    else members.push(group)
  }
  for (const { name, sizeBytes } of pieces) put({ sizeBytes, names: [name] })
  const largest = Math.max(0, ...classes.keys())
  // What a merge makes may open a class above the largest.
  for (let sizeClass = 0; sizeClass <= largest + Math.ceil(Math.log2(MAX_PIECES)); sizeClass++) {
    const members = classes.get(sizeClass) ?? []
    if (members.length < MEMBERS) continue
    const fitting = takeFitting(members, mostBytes)
    if (fitting.length < MEMBERS) continue
    classes.set(
      sizeClass,
      members.filter((member) => !fitting.includes(member)),
    )
    put({
      sizeBytes: fitting.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      names: fitting.flatMap(({ names }) => names),
    })
  }
  return [...classes.values()].flat().flatMap(({ names }) => (names.length > 1 ? [names] : []))
}

type Group<Name> = { sizeBytes: number; names: Name[] }

function classOf(sizeBytes: number): number {
  return Math.floor(Math.log2(Math.max(LEAST_BYTES, sizeBytes)) / Math.log2(MEMBERS))
}

/** The smallest, as many as weigh no more than `mostBytes` together. */
function takeFitting<Name>(members: readonly Group<Name>[], mostBytes: number): Group<Name>[] {
  const fitting: Group<Name>[] = []
  let left = mostBytes
  for (const member of [...members].sort((a, b) => a.sizeBytes - b.sizeBytes).slice(0, MAX_PIECES)) {
    left -= member.sizeBytes
    if (left < 0) break
    fitting.push(member)
  }
  return fitting
}
