// Makes one named set of data: node bench/compare/make-data.mjs NAME TARGET [--quick]
// It is a program of its own so that it can be stopped at any time, and weighs nothing while others are measured.

import fs from 'node:fs'
import path from 'node:path'
import {
  changeFloats,
  generator,
  insertRows,
  logUniform,
  MiB,
  makeCsv,
  makeFloats,
  makeIncompressible,
  makeSmallFiles,
} from '../datasets.mjs'

const [name, target, quickFlag] = process.argv.slice(2)
const isQuick = quickFlag === '--quick'
/** A size in full, or the size for a quick look. */
const size = (full, quick) => (isQuick ? quick : full)
const inTarget = (file) => path.join(target, file)

const makers = {
  A() {
    const random = generator(1)
    const sizeOf = () => logUniform(random, 200, 65_536)
    makeSmallFiles(target, { directories: 100, filesEach: size(200, 5), random, sizeOf })
  },
  B() {
    makeIncompressible(inTarget('noise.bin'), size(2048 * MiB, 8 * MiB), 2)
    makeCsv(inTarget('table.csv'), size(1024 * MiB, 8 * MiB), generator(3))
  },
  C() {
    makeCsv(inTarget('table.csv'), size(1024 * MiB, 8 * MiB), generator(4))
    makeFloats(inTarget('weights.bin'), size(512 * MiB, 8 * MiB), generator(5))
  },
  /** Stands beside C, and is C after the edit. */
  'C-edited'() {
    const before = path.join(path.dirname(target), 'C')
    insertRows(path.join(before, 'table.csv'), inTarget('table.csv'), generator(6))
    fs.copyFileSync(path.join(before, 'weights.bin'), inTarget('weights.bin'))
    changeFloats(inTarget('weights.bin'), generator(7))
  },
  'one-byte': () => makeIncompressible(inTarget('large.bin'), size(10_240 * MiB, 16 * MiB), 8),
  'growth-1k': () => manyFiles(1, size(1000, 100)),
  'growth-10k': () => manyFiles(size(10, 2), size(1000, 100)),
  'growth-100k': () => manyFiles(size(100, 3), size(1000, 100)),
  'growth-1m': () => manyFiles(size(1000, 5), size(1000, 100)),
  'large-1g': () => makeIncompressible(inTarget('large.bin'), size(1024 * MiB, 8 * MiB), 10),
  'large-4g': () => makeIncompressible(inTarget('large.bin'), size(4096 * MiB, 12 * MiB), 11),
  'large-16g': () => makeIncompressible(inTarget('large.bin'), size(16_384 * MiB, 16 * MiB), 12),
}

function manyFiles(directories, filesEach) {
  makeSmallFiles(target, { directories, filesEach, random: generator(9), sizeOf: () => 1024 })
}

fs.mkdirSync(target, { recursive: true })
makers[name]()
