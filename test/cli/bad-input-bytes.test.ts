import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { flip } from '../support/damage.ts'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { expectRefusal, type Refusal } from '../support/refusal.ts'
import { varve, varveJson } from '../support/run-varve.ts'
import { treeOf } from '../support/tree-of.ts'
import { noise, packFiles } from '../support/versioned-repository.ts'

/** A repository that has pushed `data`, and a clone of it whose store is empty. */
async function makeClone(): Promise<{ root: string; remote: string; clone: string }> {
  const root = makeRepository()
  const remote = join(makeFolder(), 'remote')
  await varve(['init'], { cwd: root })
  await varve(['remote', 'add', 'origin', remote], { cwd: root })
  writeFiles(root, { 'data/big.bin': noise('big', 300_000), 'data/small.txt': 'small' })
  await varve(['add', 'data'], { cwd: root })
  commitAll(root, 'first')
  await varve(['push'], { cwd: root })
  const clone = join(makeFolder(), 'clone')
  git(root, 'clone', '--quiet', root, clone)
  return { root, remote, clone }
}

/** The largest pack: the one with data in it. */
function dataPack(store: string): string {
  const packs = packFiles(store).map((path) => ({ path, bytes: readFileSync(path).length }))
  return packs.sort((a, b) => b.bytes - a.bytes)[0]!.path
}

describe('a remote', () => {
  it('that is not configured', async () => {
    const cwd = makeRepository()
    await varve(['init'], { cwd })
    writeFiles(cwd, { x: '1' })
    await varve(['add', 'x'], { cwd })
    const refusal = {
      code: 'NO_REMOTE' as const,
      message: 'no remote is configured',
      hint: /varve remote add/,
    }
    for (const command of ['push', 'fetch', 'pull']) await expectRefusal([command], { cwd }, refusal)
    rmSync(join(cwd, 'x'))
    rmSync(join(cwd, '.git/varve'), { recursive: true })
    const missing = { code: 'MISSING_BYTES' as const, message: /bytes of x/, hint: /varve remote add/ }
    await expectRefusal(['checkout'], { cwd }, missing)
  })

  it('that is not there, or not the one', async () => {
    const { clone, remote } = await makeClone()
    const gone = { code: 'REMOTE_FAILED' as const, message: new RegExp(remote), hint: /./ }
    rmSync(remote, { recursive: true })
    await expectRefusal(['pull'], { cwd: clone }, gone)
    mkdirSync(remote)
    await expectRefusal(
      ['pull'],
      { cwd: clone },
      {
        code: 'NOT_FOUND',
        message: `${remote} holds nothing that varve pushed`,
        hint: /varve remote list/,
      },
    )
    await expectRefusal(
      ['pull', '-r', 'orgin'],
      { cwd: clone },
      { code: 'NOT_FOUND', message: /orgin/, hint: /origin/ },
    )
  })

  it('that lacks a pack: named, and mended by a push from a clone that has it', async () => {
    const { root, remote, clone } = await makeClone()
    rmSync(dataPack(remote))
    await expectRefusal(
      ['pull'],
      { cwd: clone },
      {
        code: 'MISSING_BYTES',
        message: new RegExp(
          `^${remote} lacks chunk b3:[0-9a-f]{64} of data/\\w+\\.\\w+ \\(and \\d+ more objects\\)$`,
        ),
        hint: 'Run `varve push --all` in a clone that has it.',
      },
    )
    await varve(['push', '--all'], { cwd: root })
    await varve(['pull'], { cwd: clone })
    expect(treeOf(join(clone, 'data'))).toEqual(treeOf(join(root, 'data')))
  })

  it('with a pack that is damaged: no wrong byte arrives, and it can be mended', async () => {
    const { root, remote, clone } = await makeClone()
    const damages: [Refusal['code'], (bytes: Buffer) => Buffer][] = [
      ['CORRUPT', (bytes) => bytes.subarray(0, -1000)],
      ['CORRUPT', () => Buffer.alloc(0)],
      ['CORRUPT', (bytes) => flip(bytes, 5000)],
      ['CORRUPT', (bytes) => flip(bytes, bytes.length - 100)],
      ['HOSTILE', (bytes) => Buffer.concat([bytes, bytes])],
    ]
    const pack = dataPack(remote)
    const good = readFileSync(pack)
    const name = /[0-9a-f]{64}/.exec(pack)![0]
    for (const [code, damage] of damages) {
      writeFileSync(pack, damage(good))
      await expectRefusal(
        ['pull'],
        { cwd: clone },
        {
          code,
          message: new RegExp(`^${remote}: .*${name}`),
          hint:
            code === 'CORRUPT'
              ? /remove packs\/.* from the remote and run `varve push --all`/
              : /Do not trust/,
        },
      )
    }
    // The hint, followed.
    rmSync(pack)
    await varve(['push', '--all'], { cwd: root })
    await varve(['pull'], { cwd: clone })
    expect(treeOf(join(clone, 'data'))).toEqual(treeOf(join(root, 'data')))
  })
})

describe('the store', () => {
  const damages: [string, (path: string) => void][] = [
    ['cut short', (path) => truncateSync(path, 100_000)],
    ['with one bit flipped', (path) => writeFileSync(path, flip(readFileSync(path), 5000))],
  ]
  it.each(damages)(
    'with a pack %s: no wrong byte is written, pushed or taken for right',
    async (_, damage) => {
      const { root } = await makeClone()
      const backup = join(makeFolder(), 'backup')
      await varve(['remote', 'add', 'backup', backup], { cwd: root })
      damage(dataPack(join(root, '.git/varve')))
      await expectRefusal(
        ['push', '-r', 'backup'],
        { cwd: root },
        {
          code: 'CORRUPT',
          message: /pack/,
          hint: /varve verify/,
        },
      )
      rmSync(join(root, 'data/big.bin'))
      await expectRefusal(
        ['checkout'],
        { cwd: root },
        {
          code: 'CORRUPT',
          message: /^data\/big\.bin: (chunk b3:[0-9a-f]{64}|pack .*) is (damaged|cut short)/,
          hint: /varve verify/,
        },
      )
      expect(readdirSync(join(root, 'data'))).toEqual(['small.txt'])
    },
  )
})

const isRoot = process.getuid?.() === 0
const mounted: string[] = []
afterEach(() => {
  for (const folder of mounted.splice(0)) execFileSync('umount', [folder])
})

function mountSmall(folder: string, sizeBytes: number): boolean {
  mkdirSync(folder, { recursive: true })
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', folder], { stdio: 'ignore' })
    mounted.push(folder)
    return true
  } catch {
    return false
  }
}

describe.skipIf(!isRoot)('no space (needs the right to mount)', () => {
  it('in the store: nothing is half done, what was there stays readable', async ({ skip }) => {
    const store = join(makeFolder(), 'store')
    if (!mountSmall(store, 2 << 20)) skip()
    const cwd = makeRepository()
    await varve(['init', '--store', store], { cwd })
    writeFiles(cwd, { small: 'small', big: noise('big', 3 << 20), 'many/x': noise('x', 6 << 20) })
    await varve(['add', 'small'], { cwd })
    for (const path of ['big', 'many']) {
      await expectRefusal(
        ['add', path],
        { cwd },
        {
          code: 'NO_SPACE',
          message: new RegExp(`no space left while .*${store}`),
          hint: /Free some space/,
        },
      )
    }
    expect(readdirSync(join(store, 'tmp'))).toEqual([])
    rmSync(join(cwd, 'small'))
    await varve(['checkout', 'small'], { cwd })
    await varve(['verify', '--full'], { cwd })
  })

  it('in the workspace: the file that was there stays', async ({ skip }) => {
    const place = makeFolder()
    const root = join(place, 'small')
    if (!mountSmall(root, 2 << 20)) skip()
    git(root, 'init', '--quiet', '--initial-branch=main')
    await varve(['init', '--store', join(place, 'store')], { cwd: root })
    writeFiles(root, { 'data/x': noise('x', 1_200_000) })
    await varve(['add', 'data'], { cwd: root })
    commitAll(root, 'big')
    writeFiles(root, { 'data/x': 'small', filler: noise('filler', 1_000_000) })
    await varve(['add', 'data'], { cwd: root })
    await expectRefusal(
      ['checkout', 'HEAD', '--', 'data/x'],
      { cwd: root },
      {
        code: 'NO_SPACE',
        message: 'no space left while writing data/x',
        hint: /Free some space/,
      },
    )
    expect(readFileSync(join(root, 'data/x'), 'utf8')).toBe('small')
  })

  it('on the remote', async ({ skip }) => {
    const remote = join(makeFolder(), 'remote')
    if (!mountSmall(remote, 1 << 20)) skip()
    const cwd = makeRepository()
    await varve(['init'], { cwd })
    await varve(['remote', 'add', 'origin', remote], { cwd })
    writeFiles(cwd, { small: 'small', big: noise('big', 3 << 20) })
    await varve(['add', 'small'], { cwd })
    await varve(['push'], { cwd })
    await varve(['add', 'big'], { cwd })
    await expectRefusal(['push'], { cwd }, { code: 'NO_SPACE', message: new RegExp(remote), hint: /Free/ })
    const { paths } = await varveJson<{ paths: unknown[] }>(['status', '--remote'], { cwd })
    expect(paths).toMatchObject([
      { path: 'big', onRemote: false },
      { path: 'small', onRemote: true },
    ])
  })
})

/** Root may do anything, whatever modes say; without these two capabilities it may not. */
const WITHOUT_OVERRIDE = ['setpriv', '--bounding-set=-dac_override,-dac_read_search']
const canBeRefused =
  !isRoot || spawnSync(WITHOUT_OVERRIDE[0]!, [...WITHOUT_OVERRIDE.slice(1), 'true']).status === 0

describe.skipIf(!canBeRefused)('no permission (root needs setpriv to be refused anything)', () => {
  it('for a file, a directory, the store', async () => {
    const { root } = await makeClone()
    const options = { cwd: root, ...(isRoot && { launcher: WITHOUT_OVERRIDE }) }
    writeFiles(root, { 'new/secret': '1', 'new/inner/x': '1' })
    chmodSync(join(root, 'new/secret'), 0)
    await expectRefusal(['add', 'new'], options, {
      code: 'NO_PERMISSION',
      message: /new\/secret/,
      hint: /./,
    })
    chmodSync(join(root, 'new/secret'), 0o644)
    const packs = join(root, '.git/varve/packs')
    chmodSync(packs, 0o500)
    await expectRefusal(['add', 'new'], options, {
      code: 'NO_PERMISSION',
      message: /writing a pack into/,
      hint: /./,
    })
    chmodSync(packs, 0o700)
    await varve(['add', 'new'], { cwd: root })
  })
})
