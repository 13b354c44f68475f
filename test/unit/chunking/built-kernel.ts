import { KERNEL_BASE64 } from '../../../core/chunking/kernel.generated.ts'
import { compileKernel, type Kernel } from '../../../core/chunking/kernel-candidate-finder.ts'

/** The kernel that the build made. Tests run where it can run: that it cannot is a failure there. */
export function builtKernel(): Kernel {
  const kernel = compileKernel(Buffer.from(KERNEL_BASE64, 'base64'))
  if (kernel === null) throw new Error('this engine does not take the kernel')
  return kernel
}
