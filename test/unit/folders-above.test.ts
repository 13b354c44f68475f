import { expect, test } from 'vitest'
import { foldersAbove } from '../../core/folders-above.ts'

test.each([
  ['a/b/c', ['a/b', 'a']],
  ['a/b', ['a']],
  ['a', []],
  ['', []],
])('the folders above %j', (path, folders) => {
  expect(foldersAbove(path)).toEqual(folders)
})
