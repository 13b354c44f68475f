import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { commandTable } from '../../cli/command-table.ts'
import { flagNameOf } from '../../cli/parse-arguments.ts'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { varve, varveJson } from '../support/run-varve.ts'
import { noise } from '../support/versioned-repository.ts'

const folder = 'docs/commands'
/** Commands about commands, which the overview tells all of. */
const inOverview = ['help', 'version']
/** Pages about all commands. */
const general = ['README.md', 'exit-codes.md']

/** Every page of the project. */
const pages = [
  'README.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' }).map((path) => join('docs', path)),
].filter((path) => path.endsWith('.md'))

function pageOf(commandName: string): string {
  const word = commandName.split(' ')[0]!
  return inOverview.includes(word) ? 'README.md' : `${word}.md`
}

function read(page: string): string {
  return readFileSync(join(folder, page), 'utf8')
}

describe('the pages of the commands', () => {
  const ownPages = readdirSync(folder).filter((page) => !general.includes(page))

  test.each(commandTable.map(({ name }) => name))(
    '%s has one, and each of its options is on it',
    async (name) => {
      const page = read(pageOf(name))
      const command = await commandTable.find((entry) => entry.name === name)!.load()
      // A page may show an option by its short name alone.
      const missing = Object.entries(command.options).filter(([key, spec]) => {
        const isShownOff = spec.type === 'boolean' && spec.default === true
        const long = `--${isShownOff ? 'no-' : ''}${flagNameOf(key)}`
        return !hasWord(page, long) && (spec.short === undefined || !hasWord(page, `-${spec.short}`))
      })
      expect(missing.map(([key]) => key)).toEqual([])
      expect(page).toContain(`varve ${name}`)
    },
  )

  test.each(ownPages)('%s is about a command', (page) => {
    expect(commandTable.map(({ name }) => pageOf(name))).toContain(page)
  })

  test('the overview names each', () => {
    const overview = read('README.md')
    for (const page of ownPages) expect(overview).toContain(`(${page})`)
  })
})

describe('the README', () => {
  test('names every command', () => {
    const readme = readFileSync('README.md', 'utf8')
    const names = commandTable
      .map(({ name }) => name.split(' ')[0]!)
      .filter((name) => !inOverview.includes(name))
    for (const name of names) expect(readme).toMatch(new RegExp(`varve ${name}\\b`))
  })

  test('names the two scripts as they are', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      scripts: Record<string, string>
    }
    const readme = readFileSync('README.md', 'utf8')
    expect(readme).toContain('npm ci && npm run demo')
    expect(readme).toContain('npm ci && npm test')
    expect(scripts).toMatchObject({ demo: expect.any(String), test: expect.any(String) })
  })
})

describe('links', () => {
  test.each(pages)('of %s lead to files and headings that there are', (page) => {
    const broken = linksIn(readFileSync(page, 'utf8')).filter((link) => {
      const [path, heading] = link.split('#')
      const target = path === '' ? page : join(dirname(page), path!)
      if (!existsSync(target)) return true
      return heading !== undefined && !headingsOf(readFileSync(target, 'utf8')).includes(heading)
    })
    expect(broken).toEqual([])
  })
})

test('every test that the design page names is there', () => {
  const named = [...readFileSync('docs/design.md', 'utf8').matchAll(/`((?:test|bench)\/[\w./-]+)`/g)]
  expect(named.length).toBeGreaterThan(15)
  expect(named.map(([, path]) => path!).filter((path) => !existsSync(path))).toEqual([])
})

describe('the shape of --json is the one on the page', () => {
  it('of add, status, push, fetch, pull, checkout and diff', { timeout: 240_000 }, async () => {
    const root = makeRepository()
    const at = { cwd: root }
    await varve(['init'], at)
    writeFiles(root, { 'data/a': noise('a'), 'data/b': 'b', 'lost.csv': 'lost', 'broken.csv': 'x' })
    expectShape('add', await varveJson(['add', 'data'], at))
    await varve(['add', 'lost.csv', 'broken.csv'], at)
    commitAll(root, 'first')
    // A version of an old commit that is neither here nor there.
    rmSync(join(root, '.git/varve/packs'), { recursive: true })
    rmSync(join(root, '.git/varve/index'), { recursive: true })
    rmSync(join(root, '.git/varve/stat-cache'), { recursive: true })
    rmSync(join(root, 'lost.csv'))
    git(root, 'rm', '--quiet', 'lost.csv.varve')
    await varve(['add', 'data', 'broken.csv'], at)
    await varve(['remote', 'add', 'origin', join(makeFolder(), 'remote')], at)
    commitAll(root, 'second')
    expectShape('push', await varveJson(['push'], at))

    const clone = join(makeFolder(), 'clone')
    git(root, 'clone', '--quiet', root, clone)
    expectShape('fetch', await varveJson(['fetch', 'broken.csv'], { cwd: clone }))
    writeFiles(clone, { 'data/own': 'never added' })
    const pulled = await varveJson(['pull'], { cwd: clone })
    expectShape('pull', pulled)
    expectShape('checkout', await varveJson(['checkout'], { cwd: clone }))

    rmSync(join(root, 'data/a'))
    writeFiles(root, { 'data/c': noise('a'), 'data/b': 'changed', 'data/d': 'new' })
    writeFileSync(join(root, 'broken.csv.varve'), 'nothing of the kind\n')
    expectShape('status', await varveJson(['status'], at))
    await varve(['add', 'data'], at)
    git(root, 'commit', '--quiet', '--message', 'third')
    expectShape('diff', await varveJson(['diff', 'HEAD~1', 'HEAD'], at))
  })
})

function hasWord(text: string, word: string): boolean {
  return new RegExp(`(?<![\\w-])${word}(?![\\w-])`).test(text)
}

function linksIn(markdown: string): string[] {
  const prose = markdown.replace(/^```[\s\S]*?^```/gm, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link!)
    .filter((link) => !/^[a-z]+:/.test(link))
}

/** The anchors of a page, as they are made on GitHub. */
function headingsOf(markdown: string): string[] {
  const prose = markdown.replace(/^```[\s\S]*?^```/gm, '')
  return [...prose.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

/** The first JSON example below `## --json`. */
function expectShape(command: string, actual: unknown): void {
  const example = /## --json\n[\s\S]*?```json\n([\s\S]*?)```/.exec(read(`${command}.md`))?.[1]
  expect([command, shapeOf(actual)]).toEqual([command, shapeOf(JSON.parse(example!))])
}

/** All keys of a document, as paths; what the elements of an array have is taken together. */
function shapeOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [`${path}: ${typeof value}`]
  const inner = Array.isArray(value)
    ? value.flatMap((element) => shapeOf(element, `${path}[]`))
    : Object.entries(value).flatMap(([key, element]) => shapeOf(element, `${path}.${key}`))
  return [...new Set([path, ...inner])].sort()
}
