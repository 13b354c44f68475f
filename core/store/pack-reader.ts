import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { VarveError } from '../errors.ts'
import {
  checkPackTable,
  decodePackFooter,
  decodePackHeader,
  PACK_FOOTER_BYTES,
  PACK_HEADER_BYTES,
  type PackClass,
  type PackEntry,
  type PackFooter,
  type PackName,
  verifyPackTable,
} from '../format/pack.ts'
import { rowsOfTable } from './row-buffer.ts'
import { packPath } from './store-layout.ts'

const MAX_OPEN_PACKS = 64

/** Reads entries out of local packs; keeps the files that were used last open. */
export class PackReader {
  readonly #root: string
  readonly #open = new Map<PackName, number>()
  readonly #seen = new Set<PackName>()

  constructor(root: string) {
    this.#root = root
  }

  /** Whether the pack's file is there; one that was is not looked for again. */
  has(pack: PackName): boolean {
    if (this.#seen.has(pack)) return true
    if (!existsSync(packPath(this.#root, pack))) return false
    this.#seen.add(pack)
    return true
  }

  /**
   * Reads into the begin of `into` where it is large enough, else into a new buffer.
   * @throws MISSING_BYTES when the pack is gone; CORRUPT when it is cut short.
   */
  read(pack: PackName, offset: number, lengthBytes: number, into?: Buffer): Buffer {
    const bytes =
      into !== undefined && into.length >= lengthBytes
        ? into.subarray(0, lengthBytes)
        : Buffer.allocUnsafe(lengthBytes)
    const fd = this.#fd(pack)
    for (let done = 0; done < lengthBytes; ) {
      const count = readSync(fd, bytes, done, lengthBytes - done, offset + done)
      if (count === 0) {
        throw new VarveError('CORRUPT', `pack ${packPath(this.#root, pack)} is cut short`, {
          hint: 'Run `varve verify --rebuild-index`, then `varve pull`, or `varve add PATH` with the original file.',
        })
      }
      done += count
    }
    return bytes
  }

  /** @throws CORRUPT, MALFORMED, MISSING_BYTES */
  readTable(pack: PackName): { entries: PackEntry[]; footer: PackFooter; sizeBytes: number } {
    const { footer, sizeBytes } = this.readFooter(pack)
    const table = this.read(pack, footer.tableOffset, footer.tableBytes)
    return { entries: verifyPackTable(table, footer, pack), footer, sizeBytes }
  }

  /** What an index segment says of the pack's entries. @throws CORRUPT, MALFORMED, MISSING_BYTES */
  readRows(pack: PackName): Buffer {
    const { footer } = this.readFooter(pack)
    const table = this.read(pack, footer.tableOffset, footer.tableBytes)
    checkPackTable(table, footer, pack)
    return rowsOfTable(table)
  }

  /** @throws MALFORMED, MISSING_BYTES */
  readFooter(pack: PackName): { footer: PackFooter; sizeBytes: number } {
    const { size } = fstatSync(this.#fd(pack))
    const tail = Math.min(size, PACK_FOOTER_BYTES)
    const where = `pack ${packPath(this.#root, pack)}`
    return { footer: decodePackFooter(this.read(pack, size - tail, tail), size, where), sizeBytes: size }
  }

  /** @throws MALFORMED, TOO_NEW, MISSING_BYTES */
  classOf(pack: PackName): PackClass {
    return decodePackHeader(this.read(pack, 0, PACK_HEADER_BYTES), `pack ${packPath(this.#root, pack)}`)
  }

  close(): void {
    for (const fd of this.#open.values()) closeSync(fd)
    this.#open.clear()
  }

  #fd(pack: PackName): number {
    const known = this.#open.get(pack)
    if (known !== undefined) {
      this.#open.delete(pack)
      this.#open.set(pack, known)
      return known
    }
    if (this.#open.size >= MAX_OPEN_PACKS) {
      const [oldest, fd] = this.#open.entries().next().value!
      closeSync(fd)
      this.#open.delete(oldest)
    }
    const fd = this.#openFile(pack)
    this.#open.set(pack, fd)
    return fd
  }

  #openFile(pack: PackName): number {
    const path = packPath(this.#root, pack)
    try {
      return openSync(path, 'r')
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
      throw new VarveError('MISSING_BYTES', `pack ${path} is gone`, {
        hint: 'Run `varve verify --rebuild-index`, then `varve pull`, or `varve add PATH` with the original file.',
        cause,
      })
    }
  }
}
