import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { expectRefusal } from '../support/refusal.ts'
import { varve } from '../support/run-varve.ts'

/** A project with one tracked directory `data`, committed, and `code` that git tracks. */
async function makeProject(): Promise<string> {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  await varve(['remote', 'add', 'origin', join(makeFolder(), 'remote')], { cwd: root })
  writeFiles(root, { 'data/x': '1', 'code/main.py': '1', 'sub/code.py': '1' })
  await varve(['add', 'data'], { cwd: root })
  commitAll(root, 'first')
  return root
}

describe('where there is no project', () => {
  it('outside git', async () => {
    const cwd = makeFolder()
    writeFiles(cwd, { x: '1' })
    for (const line of ['add x', 'status', 'diff', 'checkout', 'push', 'fetch', 'pull']) {
      await expectRefusal(
        line.split(' '),
        { cwd },
        {
          code: 'NOT_A_REPOSITORY',
          message: `not inside a git repository: ${cwd}`,
          hint: 'Run `git init` first.',
        },
      )
    }
  })

  it('before init', async () => {
    const cwd = makeRepository()
    writeFiles(cwd, { x: '1' })
    await expectRefusal(['add', 'x'], { cwd }, { code: 'NOT_INITIALISED', message: /./, hint: /varve init/ })
  })
})

describe('a path', () => {
  it('outside the repository', async () => {
    const cwd = await makeProject()
    const hint = 'Name a path inside the repository, or run varve in the repository that it lies in.'
    const refusal = (path: string) => ({
      code: 'OUTSIDE_REPOSITORY' as const,
      message: `${path} lies outside the repository ${cwd}`,
      hint,
    })
    for (const command of ['add', 'status', 'checkout', 'push', 'pull']) {
      await expectRefusal([command, '../elsewhere'], { cwd }, refusal('../elsewhere'))
    }
    await expectRefusal(['add', '/etc/hosts'], { cwd }, refusal('/etc/hosts'))
    const outside = makeFolder()
    writeFiles(outside, { x: '1' })
    symlinkSync(outside, join(cwd, 'link'))
    await expectRefusal(['add', 'link/x'], { cwd }, refusal('link/x'))
  })

  it('that does not exist, or is not tracked', async () => {
    const cwd = await makeProject()
    await expectRefusal(
      ['add', 'nothing'],
      { cwd },
      {
        code: 'NOT_FOUND',
        message: 'nothing does not exist',
        hint: /Check the path/,
      },
    )
    writeFiles(cwd, { 'sub/folder/x': '', 'new/y': '' })
    await expectRefusal(
      ['add', 'new/y'],
      { cwd: join(cwd, 'sub/folder'), root: cwd },
      {
        code: 'NOT_FOUND',
        message: 'new/y does not exist',
        hint: /^Did you mean \.\.\/\.\.\/new\/y\? /,
      },
    )
    rmSync(join(cwd, 'sub'), { recursive: true })
    rmSync(join(cwd, 'new'), { recursive: true })
    await expectRefusal(
      ['add', 'no*thing'],
      { cwd },
      {
        code: 'NOT_FOUND',
        message: 'nothing matches no*thing',
        hint: /Check the pattern/,
      },
    )
    for (const command of ['status', 'checkout', 'push', 'fetch', 'pull']) {
      await expectRefusal(
        [command, 'code'],
        { cwd },
        {
          code: 'NOT_TRACKED',
          message: 'varve does not track code',
          hint: /varve add/,
        },
      )
    }
    rmSync(join(cwd, 'data'), { recursive: true })
    await expectRefusal(
      ['add', 'data'],
      { cwd },
      {
        code: 'NOT_FOUND',
        message: 'data does not exist',
        hint: /varve checkout data/,
      },
    )
  })

  it('that git tracks already: the hint works as it is written', async () => {
    const cwd = await makeProject()
    writeFiles(cwd, { 'it is/code.py': '1' })
    commitAll(cwd, 'code')
    await expectRefusal(
      ['add', 'code/main.py'],
      { cwd },
      {
        code: 'ALREADY_TRACKED',
        message: 'git already tracks code/main.py',
        hint: 'Take it out of git, but not off the disk: `git rm -r --cached code/main.py`, then run this again.',
      },
    )
    await expectRefusal(
      ['add', '../it is'],
      { cwd: join(cwd, 'sub'), root: cwd },
      {
        code: 'ALREADY_TRACKED',
        message: 'git already tracks it is/code.py',
        hint: "Take it out of git, but not off the disk: `git rm -r --cached '../it is'`, then run this again.",
      },
    )
    execFileSync('sh', ['-c', "git rm -r --quiet --cached '../it is'"], { cwd: join(cwd, 'sub') })
    await varve(['add', '../it is'], { cwd: join(cwd, 'sub') })
  })

  it('inside a tracked directory, or with a tracked path in it', async () => {
    const cwd = await makeProject()
    await expectRefusal(
      ['add', 'x'],
      { cwd: join(cwd, 'data'), root: cwd },
      {
        code: 'ALREADY_TRACKED',
        message: 'data/x lies in data, which is tracked as a whole',
        hint: 'Run `varve add .` to take in what changed there.',
      },
    )
    writeFiles(cwd, { 'up/inner/x': '1', 'up/y': '2' })
    await varve(['add', 'up/inner'], { cwd })
    await expectRefusal(
      ['add', 'up'],
      { cwd },
      {
        code: 'ALREADY_TRACKED',
        message: 'up has up/inner in it, which is tracked by itself',
        hint: /varve untrack up\/inner|varve add -u up/,
      },
    )
  })

  it('behind a symbolic link, or inside of git', async () => {
    const cwd = await makeProject()
    symlinkSync('sub', join(cwd, 'link'))
    writeFiles(cwd, { 'sub/new': '1' })
    // What the link leads to lies inside the repository: that is the path.
    await expectRefusal(
      ['add', '.git/config'],
      { cwd },
      {
        code: 'UNSUPPORTED_FILE',
        message: '.git/config belongs to git itself',
        hint: /outside git/,
      },
    )
    await varve(['add', 'link/new'], { cwd })
    expect(git(cwd, 'ls-files', 'sub/new.varve')).toBe('sub/new.varve')
    await expectRefusal(['add', '.'], { cwd }, { code: 'USAGE', message: /root/, hint: /Name files/ })
  })

  it('of which git ignores the pointer', async () => {
    const cwd = await makeProject()
    writeFiles(cwd, { '.gitignore': '/data\n*.varve\n', x: '1' })
    await expectRefusal(
      ['add', 'x'],
      { cwd },
      {
        code: 'CONFLICT',
        message: 'git ignores x.varve, which it must keep',
        hint: /\.gitignore/,
      },
    )
  })

  it('beside which the pointer or .gitignore cannot be written', async () => {
    const cwd = await makeProject()
    writeFiles(cwd, { x: '1', 'deep/y': '1', rules: '*.log\n' })
    mkdirSync(join(cwd, 'x.varve'))
    await expectRefusal(
      ['add', 'x'],
      { cwd },
      {
        code: 'HOSTILE',
        message: 'x.varve is not a regular file',
        hint: /Remove it/,
      },
    )
    rmSync(join(cwd, 'x.varve'), { recursive: true })
    symlinkSync(join(makeFolder(), 'elsewhere'), join(cwd, 'x.varve'))
    await expectRefusal(
      ['add', 'x'],
      { cwd },
      {
        code: 'HOSTILE',
        message: 'x.varve is not a regular file',
        hint: /Remove it/,
      },
    )
    symlinkSync('../rules', join(cwd, 'deep/.gitignore'))
    await expectRefusal(
      ['add', 'deep/y'],
      { cwd },
      {
        code: 'UNSUPPORTED_FILE',
        message: 'deep/.gitignore is a symbolic link',
        hint: /regular file/,
      },
    )
  })
})

describe('a name', () => {
  it('that is not UTF-8', async () => {
    const cwd = await makeProject()
    mkdirSync(join(cwd, 'odd'))
    writeFileSync(Buffer.concat([Buffer.from(`${cwd}/odd/caf`), Buffer.from([0xe9])]), '1')
    await expectRefusal(
      ['add', 'odd'],
      { cwd },
      {
        code: 'UNSUPPORTED_FILE',
        message: 'odd has a name in it that is not UTF-8: caf\\xe9',
        hint: /\.varveignore/,
      },
    )
    writeFiles(cwd, { 'odd/.varveignore': 'caf*\n' })
    await varve(['add', 'odd'], { cwd })
  })

  it('that no version can hold', async () => {
    const cwd = await makeProject()
    const names: [string, string][] = [
      ['a\nb', 'has a control character in it'],
      ['a\u001b[31mb', 'has a control character in it'],
      ['a\\b', 'has a backslash in it, which is a path separator on Windows'],
      ['.GIT', 'reads as .git on some platform'],
      ['git~1', 'reads as .git on some platform'],
      ['.git . ', 'reads as .git on some platform'],
      ['.g\u200cit', 'reads as .git on some platform'],
    ]
    for (const [name, problem] of names) {
      writeFiles(cwd, { [`odd/${name}`]: '1' })
      const refusal = { code: 'UNSUPPORTED_FILE' as const, hint: /Rename|Add|outside/ }
      await expectRefusal(['add', 'odd'], { cwd }, { ...refusal, message: new RegExp(`^odd.*${problem}`) })
      const message = new RegExp(`^"?odd.*(${problem}|belongs to git)`)
      await expectRefusal(['add', `odd/${name}`], { cwd }, { ...refusal, message })
      rmSync(join(cwd, `odd/${name}`))
    }
  })

  it('for which the pointer has no room', async () => {
    const cwd = await makeProject()
    const name = 'n'.repeat(250)
    writeFiles(cwd, { [name]: '1' })
    await expectRefusal(
      ['add', name],
      { cwd },
      {
        code: 'UNSUPPORTED_FILE',
        message: /is longer than 255 bytes/,
        hint: 'Rename it.',
      },
    )
    const fits = 'n'.repeat(249)
    writeFiles(cwd, { [fits]: '1' })
    await varve(['add', fits], { cwd })
  })
})

test('sockets and named pipes are refused by name, and can be left out', async () => {
  const cwd = await makeProject()
  mkdirSync(join(cwd, 'odd'))
  execFileSync('mkfifo', [join(cwd, 'odd/pipe')])
  const refusal = (message: string, hint: RegExp | string) => ({
    code: 'UNSUPPORTED_FILE' as const,
    message,
    hint,
  })
  await expectRefusal(
    ['add', 'odd'],
    { cwd },
    {
      ...refusal('odd/pipe is a named pipe', 'Add "pipe" to .varveignore, or remove it.'),
    },
  )
  await expectRefusal(
    ['add', 'odd/pipe'],
    { cwd },
    {
      ...refusal('odd/pipe is neither file, directory nor link', /Name a file/),
    },
  )
  rmSync(join(cwd, 'odd/pipe'))
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(join(cwd, 'odd/socket'), resolve))
  try {
    await expectRefusal(['add', 'odd'], { cwd }, refusal('odd/socket is a socket', /\.varveignore/))
    writeFiles(cwd, { 'odd/.varveignore': 'socket\n' })
    await varve(['add', 'odd'], { cwd })
  } finally {
    await new Promise((resolve) => server.close(resolve))
  }
})

test('one bad path of several: nothing is added', async () => {
  const cwd = await makeProject()
  writeFiles(cwd, { good: '1' })
  await expectRefusal(
    ['add', 'good', 'code'],
    { cwd },
    {
      code: 'ALREADY_TRACKED',
      message: 'git already tracks code/main.py',
      hint: /git rm/,
    },
  )
})

test('a revision that is none, an option out of range', async () => {
  const cwd = await makeProject()
  await expectRefusal(
    ['checkout', 'nothing', '--', 'data'],
    { cwd },
    {
      code: 'NOT_FOUND',
      message: 'no such revision: nothing',
      hint: /git log/,
    },
  )
  await expectRefusal(
    ['push', '--jobs', '0'],
    { cwd },
    { code: 'USAGE', message: 'option --jobs must be 1 or more, not 0', hint: /varve help push/ },
  )
})
