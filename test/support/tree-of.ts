import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { contentIdOf } from '../../core/content-id.ts'

/**
 * Everything below a folder but `.git`, by path: what kind it is, whether it is executable, and its content. Equal
 * for two folders that hold the same.
 */
export function treeOf(folder: string): Record<string, string> {
  const tree: Record<string, string> = {}
  const visit = (at: string) => {
    for (const name of readdirSync(join(folder, at))) {
      if (name === '.git') continue
      const path = at === '' ? name : `${at}/${name}`
      const absolute = join(folder, path)
      const stats = lstatSync(absolute)
      if (stats.isDirectory()) {
        tree[path] = 'directory'
        visit(path)
      } else if (stats.isSymbolicLink()) tree[path] = `link to ${readlinkSync(absolute)}`
      else if (stats.isFile()) tree[path] = describeFile(absolute, stats.mode, stats.size)
      else tree[path] = 'special'
    }
  }
  visit('')
  return tree
}

function describeFile(path: string, mode: number, sizeBytes: number): string {
  const kind = (mode & 0o100) !== 0 ? 'executable' : 'file'
  return `${kind}, ${sizeBytes} bytes, ${contentIdOf(readFileSync(path))}`
}
