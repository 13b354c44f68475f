// Data for the benchmarks, the same bytes on every machine: all of it comes from seeded generators.

import { createCipheriv, createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'

export const MiB = 1 << 20

/** Marsaglia's xorshift32, as numbers from 0 to below 1. */
export function generator(seed) {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 0x1_0000_0000
  }
}

/** A size between two limits, as likely to be in one octave as in any other. */
export function logUniform(random, from, to) {
  return Math.floor(from * (to / from) ** random())
}

/** Files of half noise and half repeated text, `sizeOf()` bytes each. */
export function makeSmallFiles(target, { directories, filesEach, random, sizeOf }) {
  for (let d = 0; d < directories; d++) {
    const folder = path.join(target, `d${String(d).padStart(4, '0')}`)
    fs.mkdirSync(folder, { recursive: true })
    for (let f = 0; f < filesEach; f++) {
      const size = sizeOf()
      const half = size >>> 1
      const text = Buffer.from(csvRow(random, f).repeat(Math.ceil(half / 30))).subarray(0, half)
      fs.writeFileSync(
        path.join(folder, `f${f}.bin`),
        Buffer.concat([randomBytes(random, size - text.length), text]),
      )
    }
  }
}

/** A file that no compressor makes smaller: the key stream of AES-256 in counter mode. */
export function makeIncompressible(file, sizeBytes, seed) {
  const key = createHash('sha256').update(String(seed)).digest()
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  const zeros = Buffer.alloc(4 * MiB)
  writeBlocks(file, sizeBytes, (leftBytes) => cipher.update(zeros.subarray(0, leftBytes)))
}

/** A CSV of at least so many bytes. */
export function makeCsv(file, sizeBytes, random) {
  let id = 0
  writeBlocks(file, sizeBytes, () => {
    let rows = ''
    while (rows.length < MiB) rows += csvRow(random, id++)
    return Buffer.from(rows)
  })
}

/** A copy of a CSV with 1,000 new rows: 100 at each of 10 places. */
export function insertRows(source, target, random) {
  const sizeBytes = fs.statSync(source).size
  const places = Array.from({ length: 10 }, (_, i) => Math.floor(((i + 0.5) / 10) * sizeBytes))
  const input = fs.openSync(source, 'r')
  const output = fs.openSync(target, 'w')
  const buffer = Buffer.alloc(8 * MiB)
  let at = 0
  for (const end of [...places, sizeBytes]) {
    while (at < end) {
      const count = fs.readSync(input, buffer, 0, Math.min(buffer.length, end - at), at)
      fs.writeSync(output, buffer, 0, count)
      at += count
    }
    if (end === sizeBytes) break
    let rows = ''
    for (let i = 0; i < 100; i++) rows += csvRow(random, 1e9 + i)
    fs.writeSync(output, rows)
  }
  fs.closeSync(input)
  fs.closeSync(output)
}

/** A float32 file of normally distributed weights. */
export function makeFloats(file, sizeBytes, random) {
  writeBlocks(file, sizeBytes, (leftBytes) => normals(random, Math.min(leftBytes, 4 * MiB) / 4))
}

/** Changes 1 % of a float32 file, in 10 contiguous regions. */
export function changeFloats(file, random) {
  const count = fs.statSync(file).size / 4
  const regions = 10
  const length = Math.floor(count / 100 / regions)
  const fd = fs.openSync(file, 'r+')
  for (let region = 0; region < regions; region++) {
    const start = Math.floor(((region + random()) / regions) * (count - length))
    fs.writeSync(fd, normals(random, length), 0, length * 4, start * 4)
  }
  fs.closeSync(fd)
}

function writeBlocks(file, sizeBytes, nextBlock) {
  const fd = fs.openSync(file, 'w')
  for (let written = 0; written < sizeBytes; ) written += fs.writeSync(fd, nextBlock(sizeBytes - written))
  fs.closeSync(fd)
}

function normals(random, count) {
  const floats = new Float32Array(count)
  for (let i = 0; i < count; i++) {
    floats[i] = Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random()) * 0.02
  }
  return new Uint8Array(floats.buffer)
}

function randomBytes(random, count) {
  const words = new Uint32Array(Math.ceil(count / 4))
  for (let i = 0; i < words.length; i++) words[i] = random() * 0x1_0000_0000
  return Buffer.from(words.buffer, 0, count)
}

function csvRow(random, id) {
  const colour = ['red', 'green', 'blue', 'cyan'][Math.floor(random() * 4)]
  return `${id},${Math.floor(random() * 1e9)},${random().toFixed(6)},user_${Math.floor(random() * 1e5)},${colour}\n`
}
