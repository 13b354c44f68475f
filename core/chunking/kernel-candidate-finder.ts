import type { Finder } from './finder.ts'
import { type Rot256Tables, TABLES } from './tables.ts'

/** What an instance of kernel/candidate-kernel.ts exports: addresses and sizes in its memory, and its one function. */
type KernelExports = {
  memory: { readonly buffer: ArrayBuffer }
  blockBytes: { readonly value: number }
  input: { readonly value: number }
  candidates: { readonly value: number }
  tables: { readonly value: number }
  state: { readonly value: number }
  stateBytes: { readonly value: number }
  scan(heldBytes: number, lengthBytes: number): number
}

/** Makes an instance of the kernel, with memory of its own. Throws a RangeError where there is no room for that. */
export type Kernel = () => KernelExports

/** How many bytes the kernel takes in a turn. */
const TURN_BYTES = 16

// The part of the global that is used here: no library that the compiler is given describes it.
declare const WebAssembly: {
  validate(bytes: Uint8Array): boolean
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object) => { readonly exports: unknown }
}

/** Compiles the kernel's bytes; null where the engine does not know all that they ask for: no 128-bit vectors. */
export function compileKernel(bytes: Uint8Array): Kernel | null {
  if (!WebAssembly.validate(bytes)) return null
  const module = new WebAssembly.Module(bytes)
  return () => new WebAssembly.Instance(module).exports as KernelExports
}

/** Finds what `CandidateFinder` finds, with the WebAssembly kernel: some seven times as fast. */
export class KernelCandidateFinder implements Finder {
  readonly blockBytes: number
  readonly candidates: Uint32Array

  readonly #kernel: KernelExports
  readonly #input: Uint8Array
  readonly #state: Uint8Array
  /** Bytes of a turn that was not whole: they lie at the front of the input, and are scanned again with the next call. */
  #heldBytes = 0

  constructor(kernel: Kernel, tables: Rot256Tables = TABLES) {
    this.#kernel = kernel()
    const { memory, blockBytes, input, candidates, state, stateBytes } = this.#kernel
    this.blockBytes = blockBytes.value
    this.candidates = new Uint32Array(memory.buffer, candidates.value, blockBytes.value)
    this.#input = new Uint8Array(memory.buffer, input.value, TURN_BYTES + blockBytes.value)
    this.#state = new Uint8Array(memory.buffer, state.value, stateBytes.value)
    const { lo0, hi0, lo1, hi1 } = tables
    for (const [i, table] of [lo0, hi0, lo1, hi1].entries()) {
      new Uint8Array(memory.buffer, this.#kernel.tables.value + 16 * i, 16).set(table)
    }
  }

  reset(): void {
    this.#heldBytes = 0
    this.#state.fill(0)
  }

  find(source: Uint8Array, start: number, end: number): number {
    const heldBytes = this.#heldBytes
    const lengthBytes = heldBytes + end - start
    this.#input.set(source.subarray(start, end), heldBytes)
    this.#heldBytes = lengthBytes % TURN_BYTES
    return this.#kernel.scan(heldBytes, lengthBytes)
  }
}
