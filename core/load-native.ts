import { createRequire } from 'node:module'

/**
 * A native package by its name. On Linux the package itself asks the process for a report, to learn which C library there
 * is: 5 to 9 ms in every process and thread. The usual one is tried first instead; where it is another, its binary is
 * not installed or does not load. Throws where the platform has no binary.
 */
export function loadNative<T>(name: string): T {
  const require = createRequire(import.meta.url)
  if (process.platform === 'linux') {
    try {
      return require(`${name}-linux-${process.arch}-gnu`)
    } catch {
      // The package knows of others.
    }
  }
  return require(name)
}
