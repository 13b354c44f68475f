import { CandidateFinder } from './candidate-finder.ts'
import type { Finder } from './finder.ts'
import { KERNEL_BASE64 } from './kernel.generated.ts'
import { compileKernel, type Kernel, KernelCandidateFinder } from './kernel-candidate-finder.ts'

let builtKernel: Kernel | null | undefined

/**
 * The fastest finder that there is here: the kernel, or the plain reference where `kernel` is null or has no room.
 * It reserves address space, so that one is made for many blobs, not one for each.
 */
export function createCandidateFinder(kernel: Kernel | null = kernelOfBuild()): Finder {
  if (kernel === null) return new CandidateFinder()
  try {
    return new KernelCandidateFinder(kernel)
  } catch (error) {
    // An engine guards a few KiB of WebAssembly memory by gigabytes of address space, which a process may not have.
    if (error instanceof RangeError) return new CandidateFinder()
    throw error
  }
}

/** Compiled when it is first asked for: most commands never cut anything. */
function kernelOfBuild(): Kernel | null {
  if (builtKernel === undefined) builtKernel = compileKernel(Buffer.from(KERNEL_BASE64, 'base64'))
  return builtKernel
}
