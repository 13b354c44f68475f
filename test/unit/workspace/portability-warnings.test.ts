import { expect, test } from 'vitest'
import { portabilityWarnings } from '../../../core/workspace/portability-warnings.ts'
import { writeFiles } from '../../support/git-fixture.ts'
import { Workspace } from '../../support/workspace-fixture.ts'

function warningsOf(names: readonly string[]): string[] {
  const workspace = new Workspace()
  writeFiles(workspace.root, Object.fromEntries(names.map((name) => [`data/${name}`, '1'])))
  return portabilityWarnings('data', workspace.scan()!)
}

test('names that are fine everywhere are not warned of', () => {
  expect(warningsOf(['a', 'b.txt', 'sub/a', 'ünï', '日本'])).toEqual([])
})

test('names that another platform takes for one, or does not allow', () => {
  expect(warningsOf(['sub/A', 'sub/a', 'sub/con.txt', 'x?'])).toEqual([
    'data: "x?" has the character ? in it, which Windows does not allow',
    'data/sub: "A" and "a" are one name on macOS and Windows',
    'data/sub: "con.txt" is a device on Windows',
  ])
})

test('the same name in two directories is no collision; a file and a directory are', () => {
  expect(warningsOf(['one/a', 'two/A'])).toEqual([])
  expect(warningsOf(['x', 'X/a'])).toHaveLength(1)
})

test('more than ten are counted', () => {
  const warnings = warningsOf(Array.from({ length: 25 }, (_, i) => `${i}?`))
  expect(warnings).toHaveLength(11)
  expect(warnings.at(-1)).toBe('... and 15 more such names in data')
})

test('a file by itself has none', () => {
  const workspace = new Workspace()
  writeFiles(workspace.root, { data: '1' })
  expect(portabilityWarnings('data', workspace.scan()!)).toEqual([])
})
