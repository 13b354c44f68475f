import { mkdtempSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytesInFile, bytesInMemory, type StoredBytes } from './stored-bytes.ts'

/** Longer values go to a file. */
const MOST_IN_MEMORY_BYTES = 1 << 20

export type SpoolWriter = {
  append(piece: Buffer): Promise<void>
  finish(): Promise<StoredBytes>
  /** No error where it is finished. */
  discard(): Promise<void>
}

/** Where values of unknown length are put while they arrive: in memory at first, then in a temporary folder. */
export class ByteSpool {
  #folder: string | undefined
  #files = 0

  createWriter(): SpoolWriter {
    let held: Buffer[] = []
    let heldBytes = 0
    let sizeBytes = 0
    let file: { handle: FileHandle; path: string } | undefined

    const flush = async () => {
      file ??= await this.#createFile()
      const pieces = held
      held = []
      heldBytes = 0
      for (const piece of pieces) await writeWhole(file.handle, piece)
    }

    return {
      append: async (piece) => {
        held.push(piece)
        heldBytes += piece.length
        sizeBytes += piece.length
        if (heldBytes > MOST_IN_MEMORY_BYTES) await flush()
      },
      finish: async () => {
        if (file === undefined) return bytesInMemory(Buffer.concat(held))
        await flush()
        await file.handle.close()
        const stored = bytesInFile(file.path, sizeBytes)
        file = undefined
        return stored
      },
      discard: async () => {
        if (file === undefined) return
        const { handle, path } = file
        file = undefined
        await handle.close()
        bytesInFile(path, 0).drop()
      },
    }
  }

  /** Every value becomes unreadable. */
  close(): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true })
    this.#folder = undefined
  }

  async #createFile(): Promise<{ handle: FileHandle; path: string }> {
    this.#folder ??= mkdtempSync(join(tmpdir(), 'varve-s3-server-'))
    const path = join(this.#folder, String(this.#files++))
    return { handle: await open(path, 'w'), path }
  }
}

async function writeWhole(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await handle.write(bytes, done)).bytesWritten
  }
}
