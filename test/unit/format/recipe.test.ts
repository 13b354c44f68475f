import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contentIdFromDigest, digestOf, hexOf } from '../../../core/content-id.ts'
import { VarveError } from '../../../core/errors.ts'
import {
  decodeNode,
  decodeRecipeRoot,
  encodeNode,
  encodeRecipeRoot,
  MAX_NODE_BYTES,
  MAX_NODE_ENTRIES,
  RecipeBuilder,
  type RecipeEntry,
  type RecipeRoot,
  walkLeafNodes,
  walkRecipe,
} from '../../../core/format/recipe.ts'
import { damaged, flipped } from '../../support/damage.ts'
import { counting, readGolden } from '../../support/golden.ts'
import { outcomeOf, varveErrorFrom, varveErrorOf } from '../../support/varve-error.ts'

const CHUNKS: RecipeEntry[] = [
  { digest: counting(0x10), lengthBytes: 65536 },
  { digest: counting(0x20), lengthBytes: 1 },
  { digest: counting(0x30), lengthBytes: 262144 },
]
const NODES: RecipeEntry[] = [
  { digest: counting(0x40), lengthBytes: 2 ** 52 },
  { digest: counting(0x50), lengthBytes: 2 ** 52 - 1 },
]

type GoldenTree = {
  chunks: number
  /** Every digest ends a node. */
  ending?: boolean
  root: string
  lengthBytes: number
  nodes?: [level: number, entries: number, id: string][]
  levels?: number[]
}

/** A builder whose nodes can be read again. */
function build(entries: Iterable<RecipeEntry>) {
  const nodes = new Map<string, Buffer>()
  const order: Buffer[] = []
  const builder = new RecipeBuilder((bytes, digest) => {
    nodes.set(hexOf(digest), bytes)
    order.push(bytes)
  })
  for (const { digest, lengthBytes } of entries) builder.push(digest, lengthBytes)
  return { root: builder.finish(), nodes, order, read: (digest: Uint8Array) => nodes.get(hexOf(digest))! }
}

function* numbered(count: number): Generator<RecipeEntry> {
  const bytes = Buffer.alloc(4)
  for (let i = 0; i < count; i++) {
    bytes.writeUInt32LE(i)
    yield { digest: digestOf(bytes), lengthBytes: 16384 + i }
  }
}

function* ending(count: number): Generator<RecipeEntry> {
  for (let i = 0; i < count; i++) {
    const digest = Buffer.alloc(32)
    digest.writeUInt32LE(i, 2)
    yield { digest, lengthBytes: 1 }
  }
}

/** Pseudo-random digests, fast: splitmix64 on the number. They end a node as often as hashes do. */
function synthetic(i: number): Buffer {
  const digest = Buffer.alloc(32)
  let x = (i + 0x9e3779b9) >>> 0
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b) >>> 0
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35) >>> 0
  digest.writeUInt32LE((x ^ (x >>> 16)) >>> 0, 0)
  digest.writeUInt32LE(i, 4)
  return digest
}

describe('golden files', () => {
  test.each([
    ['chunks.hex', 0, CHUNKS],
    ['nodes.hex', 1, NODES],
  ] as const)('%s', (name, level, entries) => {
    const bytes = readGolden(`recipe/v1/${name}`)
    expect(encodeNode(level, entries).toString('hex')).toBe(bytes.toString('hex'))
    expect(decodeNode(bytes, name)).toEqual({ level, entries })
  })

  test('recipe.hex', () => {
    const bytes = readGolden('recipe/v1/recipe.hex')
    const root = { rootNode: counting(0x60), lengthBytes: 327681 }
    expect(encodeRecipeRoot(root).toString('hex')).toBe(bytes.toString('hex'))
    expect(decodeRecipeRoot(bytes, 'recipe.hex')).toEqual(root)
  })

  test.each(JSON.parse(readGolden('recipe/v1/trees.json').toString()) as GoldenTree[])(
    'the tree over $chunks chunks',
    ({ chunks, ending: allEnd, root, lengthBytes, nodes, levels }) => {
      const built = build(allEnd ? ending(chunks) : numbered(chunks))
      expect(contentIdFromDigest(built.root.rootNode)).toBe(root)
      expect(built.root.lengthBytes).toBe(lengthBytes)
      const made = built.order.map((bytes) => {
        const { level, entries } = decodeNode(bytes, 'node')
        return [level, entries.length, contentIdFromDigest(digestOf(bytes))] as const
      })
      if (nodes) expect(made.toSorted(byLevelAndPlace(made))).toEqual(nodes)
      if (levels) {
        expect(levels.map((_, level) => made.filter(([l]) => l === level).length)).toEqual(levels)
      }
    },
  )
})

/** Nodes come children first; the golden file has them level by level. */
function byLevelAndPlace<T extends readonly [number, ...unknown[]]>(made: readonly T[]) {
  const place = new Map(made.map((node, index) => [node, index]))
  return (a: T, b: T) => a[0] - b[0] || place.get(a)! - place.get(b)!
}

const anyDigest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes))
const anyEntry = fc.record({ digest: anyDigest, lengthBytes: fc.integer({ min: 1, max: 2 ** 48 }) })

describe('a node', () => {
  test('comes back as it was', () => {
    fc.assert(
      fc.property(fc.nat(7), fc.array(anyEntry, { minLength: 1, maxLength: 30 }), (level, entries) => {
        expect(decodeNode(encodeNode(level, entries), 'node')).toEqual({ level, entries })
      }),
    )
  })

  test('that is damaged is refused, or is another node: never anything else', () => {
    const bytes = encodeNode(1, CHUNKS)
    const intact = decodeNode(bytes, 'node')
    for (const wrong of damaged(bytes)) {
      const outcome = outcomeOf(() => decodeNode(wrong, 'node'))
      if (outcome instanceof VarveError) expect(['MALFORMED', 'TOO_NEW']).toContain(outcome.code)
      else expect(outcome).not.toEqual(intact)
    }
  })

  test.each([
    ['of no entries', encodeNode(0, []), 'a broken list of entries'],
    ['of too many', encodeNode(0, Array(MAX_NODE_ENTRIES + 1).fill(CHUNKS[0])), 'a broken list of entries'],
    ['of a level that no blob needs', encodeNode(8, CHUNKS), 'level 8'],
    [
      'with an entry of no bytes',
      encodeNode(0, [{ digest: counting(1), lengthBytes: 0 }]),
      'an entry of no bytes',
    ],
    [
      'of 2^53 bytes',
      encodeNode(0, [...NODES, { digest: counting(1), lengthBytes: 1 }]),
      '2^53 bytes or more',
    ],
    ['with bytes behind it', Buffer.concat([encodeNode(0, CHUNKS), Buffer.alloc(1)]), 'a broken list'],
  ])('%s is refused', (_, bytes, why) => {
    const { code, message } = varveErrorOf(() => decodeNode(bytes, 'recipe node x'))
    expect(code).toBe('MALFORMED')
    expect(message).toContain(`recipe node x: ${why}`)
  })

  test('of the most entries fits MAX_NODE_BYTES exactly', () => {
    const bytes = encodeNode(0, Array(MAX_NODE_ENTRIES).fill(CHUNKS[0]))
    expect(bytes.length).toBe(MAX_NODE_BYTES)
    expect(decodeNode(bytes, 'node').entries).toHaveLength(MAX_NODE_ENTRIES)
  })

  test('of a later version is refused with the remedy', () => {
    const bytes = encodeNode(0, CHUNKS)
    bytes[0] = 2
    const { code, hint } = varveErrorOf(() => decodeNode(bytes, 'node'))
    expect([code, hint]).toEqual(['TOO_NEW', 'Upgrade varve to read this repository.'])
  })
})

describe('a recipe', () => {
  test('comes back as it was', () => {
    fc.assert(
      fc.property(anyDigest, fc.maxSafeNat(), (rootNode, lengthBytes) => {
        const root = { rootNode, lengthBytes }
        expect(decodeRecipeRoot(encodeRecipeRoot(root), 'recipe')).toEqual(root)
      }),
    )
  })

  test('that is damaged is refused, or is another recipe', () => {
    const root = { rootNode: counting(1), lengthBytes: 77 }
    for (const wrong of damaged(encodeRecipeRoot(root))) {
      const outcome = outcomeOf(() => decodeRecipeRoot(wrong, 'recipe'))
      if (outcome instanceof VarveError) expect(outcome.code).toBe('MALFORMED')
      else expect(outcome).not.toEqual(root)
    }
    const long = Buffer.concat([encodeRecipeRoot(root), Buffer.alloc(1)])
    expect(varveErrorOf(() => decodeRecipeRoot(long, 'recipe')).code).toBe('MALFORMED')
  })
})

describe('RecipeBuilder', () => {
  test('makes nodes whose walk gives the chunks again, each node handed over once, children first', () => {
    // Small alphabets of ending digests make many boundaries on several levels.
    const entries = fc
      .array(fc.record({ ends: fc.boolean(), run: fc.integer({ min: 1, max: 700 }) }), {
        minLength: 1,
        maxLength: 12,
      })
      .map((runs) => {
        let i = 0
        return runs.flatMap(({ ends, run }) =>
          Array.from({ length: run }, () => {
            const digest = synthetic(i)
            digest.writeUInt16LE(ends ? 0x0400 : 0x0401)
            return { digest, lengthBytes: ++i }
          }),
        )
      })
    fc.assert(
      fc.property(entries, (chunks) => {
        const { root, nodes, order, read } = build(chunks)
        expect([...walkRecipe(root, read)]).toEqual(chunks)
        expect(root.lengthBytes).toBe(chunks.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0))
        expect(order).toHaveLength(nodes.size)
        expect(digestOf(order.at(-1)!)).toEqual(root.rootNode)
        const seen = new Set<string>()
        for (const bytes of order) {
          const { level, entries } = decodeNode(bytes, 'node')
          if (level > 0) for (const { digest } of entries) expect(seen).toContain(hexOf(digest))
          seen.add(hexOf(digestOf(bytes)))
        }
      }),
      { numRuns: 15 },
    )
  })

  test('ends nodes where the page says: at 256 entries or more, and at 4,096', () => {
    const chunks = Array.from({ length: 6000 }, (_, i) => {
      const digest = synthetic(i)
      // Only these end a node: the first comes too early, the others count.
      digest.writeUInt16LE([254, 511, 5000].includes(i) ? 0 : 1)
      return { digest, lengthBytes: 1 }
    })
    const { order } = build(chunks)
    const counts = order
      .map((bytes) => decodeNode(bytes, 'node'))
      .map(({ level, entries }) => [level, entries.length])
    // 5,000 lies in the node that the ceiling opened at 4,608, as its 393rd entry.
    expect(counts).toEqual([
      [0, 512],
      [0, 4096],
      [0, 393],
      [0, 999],
      [1, 4],
    ])
  })

  test('makes one node of one chunk', () => {
    const { root, order } = build([CHUNKS[0]!])
    expect(order).toHaveLength(1)
    expect(decodeNode(order[0]!, 'node')).toEqual({ level: 0, entries: [CHUNKS[0]] })
    expect(root.lengthBytes).toBe(65536)
  })

  test('changes a node or two a level where one entry of five million changes', () => {
    const count = 5_000_000
    const nodesOf = (changed: number | undefined) => {
      const levels: Set<string>[] = []
      const builder = new RecipeBuilder((bytes, digest) => {
        levels[bytes[1]!] ??= new Set()
        levels[bytes[1]!]!.add(digest.toString('latin1'))
      })
      for (let i = 0; i < count; i++) builder.push(synthetic(i === changed ? count + i : i), 57_000)
      builder.finish()
      return levels
    }
    const before = nodesOf(undefined)
    const after = nodesOf(2_500_017)
    expect(before.length).toBeGreaterThanOrEqual(3)
    expect(after).toHaveLength(before.length)
    const fresh = after.map((level, i) => [...level].filter((id) => !before[i]!.has(id)).length)
    expect(fresh.at(-1)).toBe(1)
    for (const changed of fresh) expect(changed).toBeLessThanOrEqual(2)
    for (const changed of fresh) expect(changed).toBeGreaterThanOrEqual(1)
  })
})

describe('walkRecipe', () => {
  const low = encodeNode(0, CHUNKS)
  const total = 65536 + 1 + 262144
  const readOf = (...nodes: Buffer[]) => {
    const byId = new Map(nodes.map((bytes) => [hexOf(digestOf(bytes)), bytes]))
    return (digest: Uint8Array) => byId.get(hexOf(digest)) ?? expect.fail('a node that is not there')
  }
  const walk = (root: RecipeRoot, ...nodes: Buffer[]) => [...walkRecipe(root, readOf(...nodes))]
  const pointing = (level: number, ...at: { node: Buffer; lengthBytes: number }[]) =>
    encodeNode(
      level,
      at.map(({ node, lengthBytes }) => ({ digest: digestOf(node), lengthBytes })),
    )

  test('refuses a root whose length is not that of its node', () => {
    expect(walk({ rootNode: digestOf(low), lengthBytes: total }, low)).toEqual(CHUNKS)
    for (const lengthBytes of [total - 1, total + 1, 0]) {
      const { code, message } = varveErrorOf(() => walk({ rootNode: digestOf(low), lengthBytes }, low))
      expect(code).toBe('MALFORMED')
      expect(message).toBe(
        `recipe node ${contentIdFromDigest(digestOf(low))}: ${total} bytes where ${lengthBytes} belong`,
      )
    }
  })

  test('refuses a child whose length is not what its parent says', () => {
    const top = pointing(1, { node: low, lengthBytes: total - 1 })
    const { code, message } = varveErrorOf(() =>
      walk({ rootNode: digestOf(top), lengthBytes: total - 1 }, low, top),
    )
    expect(code).toBe('MALFORMED')
    expect(message).toContain(`${total} bytes where ${total - 1} belong`)
  })

  test.each([
    ['skips a level', 2],
    ['stays on its level', 0],
  ])('refuses a tree that %s', (_, topLevel) => {
    const middle = encodeNode(topLevel === 0 ? 1 : 0, CHUNKS)
    const top = pointing(topLevel === 0 ? 1 : 2, { node: middle, lengthBytes: total })
    const { message } = varveErrorOf(() => walk({ rootNode: digestOf(top), lengthBytes: total }, middle, top))
    expect(message).toMatch(/level \d where \d belongs/)
  })

  test('stops at the first chunk past what its parent says, so that a small tree cannot swell', () => {
    // Seven levels of 4,096 entries each, all the same: 4,096^8 chunks if it were believed.
    let node = encodeNode(0, Array(MAX_NODE_ENTRIES).fill({ digest: counting(1), lengthBytes: 1 }))
    const nodes = [node]
    for (let level = 1; level < 8; level++) {
      node = encodeNode(level, Array(MAX_NODE_ENTRIES).fill({ digest: digestOf(node), lengthBytes: 1 }))
      nodes.push(node)
    }
    const { code } = varveErrorOf(() => walk({ rootNode: digestOf(node), lengthBytes: 4096 }, ...nodes))
    expect(code).toBe('MALFORMED')
  })

  test('passes on what cannot be read', async () => {
    const failure = new VarveError('MISSING_BYTES', 'gone')
    const walked = async () => [
      ...walkRecipe({ rootNode: counting(1), lengthBytes: 1 }, () => {
        throw failure
      }),
    ]
    expect(await varveErrorFrom(walked())).toBe(failure)
  })

  test('never throws anything else, whatever bit of a tree flips', () => {
    const top = pointing(1, { node: low, lengthBytes: total })
    for (const wrong of [...flipped(top), ...flipped(low)]) {
      const read = (digest: Uint8Array) =>
        digestOf(top).equals(digest) ? (wrong[1]! > 0 ? wrong : top) : wrong[1]! > 0 ? low : wrong
      outcomeOf(() => [...walkRecipe({ rootNode: digestOf(top), lengthBytes: total }, read)])
    }
  })
})

describe('walkLeafNodes', () => {
  /** Twenty leaf nodes, of 256 chunks each but the last. */
  const chunks = Array.from({ length: 5000 }, (_, i) => {
    const digest = synthetic(i)
    digest.writeUInt16LE(i % 256 === 255 ? 0 : 1)
    return { digest, lengthBytes: i + 1 }
  })

  test('gives the nodes that hold the chunks, in order, and reads none of them', () => {
    const { root, nodes, read } = build(chunks)
    const levelOf = (digest: Uint8Array) => decodeNode(nodes.get(hexOf(digest))!, 'node').level
    expect(levelOf(root.rootNode)).toBe(1)
    const asked: number[] = []
    const leaves = [
      ...walkLeafNodes(root, (digest) => {
        asked.push(levelOf(digest))
        return read(digest)
      }),
    ]
    expect(asked).not.toContain(0)
    expect(leaves.map(({ digest }) => levelOf(digest))).toEqual(Array(20).fill(0))
    const below = leaves.flatMap(({ digest, lengthBytes }) => {
      const { entries } = decodeNode(read(digest), 'node')
      expect(lengthBytes).toBe(entries.reduce((sum, entry) => sum + entry.lengthBytes, 0))
      return entries
    })
    expect(below).toEqual(chunks)
  })

  test.each([1, 2])('finds the leaves at any depth: %i levels above them', (above) => {
    const low = encodeNode(0, CHUNKS)
    const leaf = { digest: digestOf(low), lengthBytes: 327681 }
    const nodes = new Map([[hexOf(leaf.digest), low]])
    let at = leaf
    for (let level = 1; level <= above; level++) {
      const bytes = encodeNode(level, [at, at])
      at = { digest: digestOf(bytes), lengthBytes: at.lengthBytes * 2 }
      nodes.set(hexOf(at.digest), bytes)
    }
    const root = { rootNode: at.digest, lengthBytes: at.lengthBytes }
    expect([...walkLeafNodes(root, (digest) => nodes.get(hexOf(digest))!)]).toEqual(
      Array(2 ** above).fill(leaf),
    )
  })

  test('of a recipe of one node gives that node, once its length is proven', () => {
    const { root, read } = build(CHUNKS)
    expect([...walkLeafNodes(root, read)]).toEqual([{ digest: root.rootNode, lengthBytes: root.lengthBytes }])
    const { code } = varveErrorOf(() => [...walkLeafNodes({ ...root, lengthBytes: 1 }, read)])
    expect(code).toBe('MALFORMED')
  })

  test('stops at the first node past what its parent says, so that a small tree cannot swell', () => {
    let node = encodeNode(0, Array(MAX_NODE_ENTRIES).fill({ digest: counting(1), lengthBytes: 1 }))
    const nodes = new Map([[hexOf(digestOf(node)), node]])
    for (let level = 1; level < 8; level++) {
      node = encodeNode(level, Array(MAX_NODE_ENTRIES).fill({ digest: digestOf(node), lengthBytes: 1 }))
      nodes.set(hexOf(digestOf(node)), node)
    }
    let leaves = 0
    const walk = () => {
      const root = { rootNode: digestOf(node), lengthBytes: 4096 }
      for (const _ of walkLeafNodes(root, (digest) => nodes.get(hexOf(digest))!)) leaves++
    }
    expect(varveErrorOf(walk).message).toContain('4096 bytes where 1 belong')
    expect(leaves).toBe(0)
  })

  test('refuses a node above the leaves that is of another level than belongs there', () => {
    const low = encodeNode(0, CHUNKS)
    const top = encodeNode(2, [{ digest: digestOf(low), lengthBytes: 327681 }])
    const read = (digest: Uint8Array) => (digestOf(top).equals(digest) ? top : low)
    const root = { rootNode: digestOf(top), lengthBytes: 327681 }
    expect(varveErrorOf(() => [...walkLeafNodes(root, read)]).message).toContain('level 0 where 1 belongs')
  })
})
