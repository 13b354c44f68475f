import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { checksumOf } from '../checksum.ts'
import {
  BASE_FOOTER_BYTES,
  BASE_HEADER_BYTES,
  type BaseFooter,
  decodeBaseFooter,
  isBaseHeader,
  PLACE_BYTES,
  placeAt,
} from '../format/stat-cache.ts'
import { StatTable } from '../format/stat-table.ts'
import { isSystemError } from './system-error.ts'

export const BASE_NAME = 'base'

/** The immutable part of a stat cache, opened for reading: its table of directories in memory, its blocks on disk. */
export class StatCacheBase {
  readonly generation: bigint
  readonly sizeBytes: number
  /** The directories, sorted. */
  readonly directories: StatTable
  readonly #fd: number

  private constructor(fd: number, sizeBytes: number, generation: bigint, directories: StatTable) {
    this.#fd = fd
    this.sizeBytes = sizeBytes
    this.generation = generation
    this.directories = directories
  }

  /** Undefined where there is none that is whole and readable. */
  static open(path: string): StatCacheBase | undefined {
    let fd: number
    try {
      fd = openSync(path, 'r')
    } catch {
      return undefined
    }
    try {
      const base = StatCacheBase.#read(fd)
      if (base !== undefined) return base
    } catch (error) {
      if (!isSystemError(error)) throw error
    }
    closeSync(fd)
    return undefined
  }

  /** Whether the file under `path` is still this one: another process may have put a newer one there. */
  isAt(path: string): boolean {
    const mine = fstatSync(this.#fd)
    const there = statSync(path, { throwIfNoEntry: false })
    return there !== undefined && there.ino === mine.ino && there.dev === mine.dev
  }

  /** The entries of the directory at `index` of the table, or undefined where they are damaged or unreadable. */
  readBlock(index: number): Buffer | undefined {
    const { offset, sizeBytes, checksum } = placeAt(this.directories, index)
    if (offset + sizeBytes > this.sizeBytes) return undefined
    try {
      const block = readExactly(this.#fd, offset, sizeBytes)
      return block !== undefined && checksumOf(block) === checksum ? block : undefined
    } catch (error) {
      if (isSystemError(error)) return undefined
      throw error
    }
  }

  close(): void {
    closeSync(this.#fd)
  }

  static #read(fd: number): StatCacheBase | undefined {
    const sizeBytes = fstatSync(fd).size
    if (sizeBytes < BASE_HEADER_BYTES + BASE_FOOTER_BYTES) return undefined
    const header = readExactly(fd, 0, BASE_HEADER_BYTES)
    if (header === undefined || !isBaseHeader(header)) return undefined
    const footerBytes = readExactly(fd, sizeBytes - BASE_FOOTER_BYTES, BASE_FOOTER_BYTES)
    const footer = footerBytes && decodeBaseFooter(footerBytes)
    if (footer === undefined) return undefined
    const directories = readDirectories(fd, footer, sizeBytes)
    return directories && new StatCacheBase(fd, sizeBytes, footer.generation, directories)
  }
}

function readDirectories(fd: number, footer: BaseFooter, sizeBytes: number): StatTable | undefined {
  if (footer.tableOffset + footer.tableBytes + BASE_FOOTER_BYTES !== sizeBytes) return undefined
  const bytes = readExactly(fd, footer.tableOffset, footer.tableBytes)
  if (bytes === undefined || checksumOf(bytes) !== footer.tableChecksum) return undefined
  return StatTable.open(bytes, PLACE_BYTES)
}

function readExactly(fd: number, offset: number, sizeBytes: number): Buffer | undefined {
  const buffer = Buffer.allocUnsafe(sizeBytes)
  let done = 0
  while (done < sizeBytes) {
    const count = readSync(fd, buffer, done, sizeBytes - done, offset + done)
    if (count === 0) return undefined
    done += count
  }
  return buffer
}
