import { describe, expect, it } from 'vitest'
import { PathFilter } from '../../../core/path-filter.ts'
import { refuseNames } from '../../../core/workspace/refuse-names.ts'
import { addVersion, type Content } from '../../support/build-store.ts'
import { outcomeOf, varveErrorOf } from '../../support/varve-error.ts'
import { Workspace } from '../../support/workspace-fixture.ts'

const LINUX = { foldsNames: false, isWindows: false }
const MACOS = { foldsNames: true, isWindows: false }
const WINDOWS = { foldsNames: true, isWindows: true }

function refuse(content: Content, filesystem: typeof LINUX, paths: string[] = ['data']) {
  const { root, store } = new Workspace()
  const entry = addVersion(store, content)
  refuseNames({ root, store, path: 'data', entry, filter: new PathFilter(paths), filesystem })
}

const folding = { sub: { 'Read.me': '1', 'read.ME': '2' } }
const accents = { é: '1', 'e\u0301': '2' }

describe('names that a filesystem cannot hold side by side', () => {
  it('are refused there, and only there', () => {
    for (const content of [folding, accents, { Sub: { a: '1' }, sub: { b: '2' } }]) {
      expect(outcomeOf(() => refuse(content, LINUX))).toBeUndefined()
      for (const filesystem of [MACOS, WINDOWS]) {
        expect(varveErrorOf(() => refuse(content, filesystem))).toMatchObject({
          code: 'UNSUPPORTED_FILE',
          message: expect.stringMatching(/^data.*".+" and ".+" are one name on this filesystem$/),
          hint: expect.any(String),
        })
      }
    }
  })

  it('do not matter where they are not wanted', () => {
    const content = { ...folding, other: { a: '1' } }
    expect(outcomeOf(() => refuse(content, MACOS, ['data/other']))).toBeUndefined()
    expect(outcomeOf(() => refuse(content, MACOS, ['data/sub/Read.me']))).toBeUndefined()
  })
})

it('names that Windows has no file for are refused there alone', () => {
  for (const name of ['con', 'a:b', 'end.', 'what?']) {
    expect(outcomeOf(() => refuse({ [name]: '1' }, MACOS))).toBeUndefined()
    expect(varveErrorOf(() => refuse({ deep: { [name]: '1' } }, WINDOWS))).toMatchObject({
      code: 'UNSUPPORTED_FILE',
      message: expect.stringContaining(`data/deep: "${name}"`),
    })
  }
})
