import { loadNative } from './load-native.ts'

/** BLAKE3-256: one-shot, and streaming. */
export interface Blake3 {
  readonly implementation: 'native' | 'wasm'
  /** The 32-byte digest of `bytes`. */
  digest(bytes: Uint8Array): Buffer
  createHasher(): { update(bytes: Uint8Array): void; digest(): Buffer }
}

/** The native binding: 3.4 GB/s on 57 KiB pieces. Throws where the platform has no binary. */
export function loadNativeBlake3(): Blake3 {
  const native = loadNative<typeof import('@napi-rs/blake-hash')>('@napi-rs/blake-hash')
  return {
    implementation: 'native',
    // Typed for Buffers, but any view will do, one on shared memory too.
    digest: (bytes) => native.blake3(bytes as Buffer),
    createHasher() {
      const hasher = new native.Blake3Hasher()
      return { update: (bytes) => void hasher.update(bytes as Buffer), digest: () => hasher.digestBuffer() }
    },
  }
}

/** The WebAssembly fallback, 0.4 GB/s: for platforms without a binary. */
export async function loadWasmBlake3(): Promise<Blake3> {
  const { createBLAKE3 } = await import('hash-wasm')
  const shared = await createBLAKE3()
  // hash-wasm makes instances asynchronously; a streaming hasher saves and restores its state in the
  // one instance instead, so that the interface can stay synchronous.
  const emptyState = shared.init().save()
  return {
    implementation: 'wasm',
    digest: (bytes) => Buffer.from(shared.init().update(bytes).digest('binary')),
    createHasher() {
      let state = emptyState
      return {
        update(bytes) {
          state = shared.load(state).update(bytes).save()
        },
        digest: () => Buffer.from(shared.load(state).digest('binary')),
      }
    },
  }
}

async function load(): Promise<Blake3> {
  try {
    return loadNativeBlake3()
  } catch {
    return loadWasmBlake3()
  }
}

export const blake3: Blake3 = await load()
