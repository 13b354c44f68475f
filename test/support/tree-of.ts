import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { contentIdOf } from '../../core/content-id.ts'

/**
 * Everything below a folder but `.git`, by path: what kind it is, whether it is executable, and its content. Equal
 * for two folders that hold the same.
 */
export function treeOf(folder: string): Record<string, string> {
  const tree: Record<string, string> = {}
  const visit = (at: string) => {
    for (const name of readdirSync(bytesOf(folder, at), { encoding: 'latin1' })) {
      if (name === '.git') continue
      const inner = at === '' ? name : `${at}/${name}`
      const path = Buffer.from(inner, 'latin1').toString()
      const absolute = bytesOf(folder, inner)
      const stats = lstatSync(absolute)
      if (stats.isDirectory()) {
        tree[path] = 'directory'
        visit(inner)
      } else if (stats.isSymbolicLink()) tree[path] = `link to ${readlinkSync(absolute)}`
      else if (stats.isFile()) tree[path] = describeFile(absolute, stats.mode, stats.size)
      else tree[path] = 'special'
    }
  }
  visit('')
  return tree
}

/** Names are told byte by byte, for those that are not UTF-8. */
function bytesOf(folder: string, at: string): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(at, 'latin1')])
}

function describeFile(path: Buffer, mode: number, sizeBytes: number): string {
  const kind = (mode & 0o100) !== 0 ? 'executable' : 'file'
  return `${kind}, ${sizeBytes} bytes, ${contentIdOf(readFileSync(path))}`
}
