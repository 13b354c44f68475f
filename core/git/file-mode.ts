/**
 * Whether git's mode is that of a regular file. A pointer may carry the executable bit, as some
 * filesystems set it on everything; a symbolic link or a sub-module named like a pointer is none.
 */
export function isRegularFileMode(mode: string): boolean {
  return mode === '100644' || mode === '100755'
}
