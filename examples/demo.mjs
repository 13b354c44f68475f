// The main job of Varve on real data, with the built program and real git, in a temporary folder:
// version a CSV, a Parquet file, a directory of 3,201 files and a model; push; change; push; clone; pull; go back.
// Every command is printed as it would be typed, with what it really answers. Run it with `npm run demo`;
// `npm run demo -- --keep` leaves the folder for you to look around in. Ends with 1 if anything is not as it should be.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { devNull, tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const packages = fileURLToPath(new URL('../node_modules/', import.meta.url))
const program = fileURLToPath(new URL('../dist/varve.js', import.meta.url))
const datasets = join(packages, 'vega-datasets', 'data')
const models = join(packages, '@mediapipe', 'hands')

const keep = process.argv.includes('--keep')
const folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'varve-demo-')))
const project = join(folder, 'project')
const remote = join(folder, 'remote')
const tracked = ['data/birdstrikes.csv', 'data/flights.parquet', 'data/movies', 'models/hand.tflite']
let cwd = folder
/** What git takes for the time of a commit. */
let date = ''

try {
  main()
} catch (error) {
  console.error(`\ndemo: ${error.message}`)
  process.exitCode = 1
} finally {
  if (keep) console.log(`\nEverything is in ${folder}`)
  else fs.rmSync(folder, { recursive: true, force: true })
}

function main() {
  const startedAt = performance.now()
  title('September: data and a model come into a git repository')
  fs.mkdirSync(project)
  cd(project)
  git('init', '--quiet')
  varve('init')
  writeSeptember()
  say('A CSV of 1.1 MiB, a Parquet file of 12.9 MiB, a directory of 3,201 files, a model of 2 MiB. Tracked:')
  varve('add', ...tracked)
  say('Git keeps a small pointer for each, and is told to ignore the data itself:')
  cat('data/movies.varve')
  git('status', '--short')
  date = '2026-09-15T09:00:00Z'
  git('commit', '--quiet', '--all', '--message', 'Data and model of September')
  git('tag', '2026-09')
  say('A remote is a plain folder: a disk, a share. The bytes go there; no server has to run.')
  varve('remote', 'add', 'origin', '../remote')
  git('commit', '--quiet', '--all', '--message', 'Where the data is kept')
  varve('push')
  const september = digestsOf(project)
  const firstBytes = bytesOf(remote)
  say(`The remote holds ${count(september.size)} files in ${filesIn(remote).length} objects.`)

  title('October: rows are appended and corrected, files come and go, the model is replaced')
  const changed = writeOctoberData()
  varve('status')
  say(
    'Adding again reads only what changed. So does a push: it sends the new pieces of files, not the files.',
  )
  varve('add', 'data/birdstrikes.csv', 'data/movies')
  date = '2026-10-15T09:00:00Z'
  git('commit', '--quiet', '--all', '--message', 'Data of October')
  varve('push')
  const dataBytes = bytesOf(remote) - firstBytes
  say(`Sent: ${kib(dataBytes)}, where the changed files alone have ${kib(changed)}.`)
  check('the second push sends less than a tenth of the files that changed', dataBytes < changed / 10)
  copyModel('hand_landmark_full.tflite')
  varve('add', 'models/hand.tflite')
  git('commit', '--quiet', '--all', '--message', 'Model of October')
  varve('push')
  const october = digestsOf(project)
  const allBytes = bytesOf(remote)
  varve('push')
  check('a push of nothing writes nothing', bytesOf(remote) === allBytes)

  title('A colleague clones the repository, and pulls the data')
  const colleague = join(folder, 'colleague')
  cd(folder)
  git('clone', '--quiet', 'project', 'colleague')
  cd(colleague)
  varve('pull')
  check(
    `all ${count(october.size)} files are identical (SHA-256)`,
    sameDigests(digestsOf(colleague), october),
  )

  title('What changed since last month?')
  varve('log', 'data/birdstrikes.csv')
  varve('diff', '2026-09', 'HEAD')
  say('A version can be looked into without checking it out:')
  varve('ls', '2026-09:data/movies')
  varve('cat', '2026-09:data/movies/western/0051.json')

  title('Back to last month, and forth again')
  varve('checkout', '2026-09', '--', 'data', 'models')
  check(
    `all ${count(september.size)} files are as they were in September`,
    sameDigests(digestsOf(colleague), september),
  )
  say('As with `git checkout 2026-09 -- data`, the branch has not moved: the old pointers are staged.')
  git('status', '--short')
  varve('checkout', 'HEAD', '--', 'data', 'models')
  check('all files are those of October again', sameDigests(digestsOf(colleague), october))
  varve('status')

  title('A third clone needs a part of it')
  const partial = join(folder, 'partial')
  cd(folder)
  git('clone', '--quiet', 'project', 'partial')
  cd(partial)
  varve('pull', 'data/movies/western')
  varve('status')
  const western = [...october].filter(([path]) => path.startsWith('data/movies/western/'))
  check(
    `the ${western.length} files asked for are here, and no others`,
    sameDigests(digestsOf(partial), new Map(western)),
  )

  title('What the store holds, and whether it is sound')
  cd(project)
  varve('verify', '--full')
  varve('stats')
  const versions =
    bytesOf(project, tracked) + [...september.values()].reduce((sum, { size }) => sum + size, 0)
  say(`Two months of everything have ${kib(versions)}; the remote holds them in ${kib(allBytes)}.`)
  check('the remote is smaller than both months', allBytes < versions)
  console.log(`\nEverything is as it should be (${((performance.now() - startedAt) / 1000).toFixed(1)} s).`)
}

/** The data of September: real records, those that were there at that time. */
function writeSeptember() {
  const lines = birdstrikes()
  write('data/birdstrikes.csv', `${lines.slice(0, -800).join('\n')}\n`)
  copy(join(datasets, 'flights-3m.parquet'), 'data/flights.parquet')
  // One file a record, in a folder for each genre: as many a dataset of images or texts is laid out.
  for (const [index, movie] of JSON.parse(fs.readFileSync(join(datasets, 'movies.json'), 'utf8')).entries()) {
    const genre = String(movie['Major Genre'] ?? 'unknown')
      .toLowerCase()
      .replace(/\W+/g, '-')
    write(
      `data/movies/${genre}/${String(index + 1).padStart(4, '0')}.json`,
      `${JSON.stringify(movie, null, 2)}\n`,
    )
  }
  copyModel('hand_landmark_lite.tflite')
}

/** 800 rows more and one corrected; a movie corrected, one added, one removed. Gives the bytes of these files. */
function writeOctoberData() {
  const lines = birdstrikes()
  lines[4000] = lines[4000].replace(/,[^,]*$/, ',140')
  write('data/birdstrikes.csv', `${lines.join('\n')}\n`)
  const western = filesIn(join(project, 'data/movies/western')).sort()
  const [corrected, removed] = western.map((name) => join('data/movies/western', name))
  write(corrected, fs.readFileSync(join(project, corrected), 'utf8').replace(/null/, '"unknown"'))
  fs.rmSync(join(project, removed))
  write('data/movies/western/3202.json', '{\n  "Title": "True Grit",\n  "Release Date": "Dec 22 2010"\n}\n')
  return ['data/birdstrikes.csv', corrected, 'data/movies/western/3202.json']
    .map((path) => fs.statSync(join(project, path)).size)
    .reduce((sum, size) => sum + size, 0)
}

/** Collisions of aircraft with birds, in the order in which they happened. */
function birdstrikes() {
  const [header, ...rows] = fs.readFileSync(join(datasets, 'birdstrikes.csv'), 'utf8').trim().split(/\r?\n/)
  const day = (row) => /,(\d{4}-\d\d-\d\d),/.exec(row)?.[1] ?? ''
  return [header, ...rows.sort((a, b) => (day(a) < day(b) ? -1 : day(a) > day(b) ? 1 : 0))]
}

function copyModel(name) {
  copy(join(models, name), 'models/hand.tflite')
}

function copy(source, path) {
  write(path, fs.readFileSync(source))
}

function write(path, content) {
  fs.mkdirSync(dirname(join(project, path)), { recursive: true })
  fs.writeFileSync(join(project, path), content)
}

function title(text) {
  console.log(`\n== ${text}\n`)
}

function say(text) {
  console.log(`\n# ${text}`)
}

function check(what, holds) {
  console.log(`\n[${holds ? 'ok' : 'FAILED'}] ${what}\n`)
  if (!holds) throw new Error(`not so: ${what}`)
}

function cd(to) {
  console.log(`$ cd ${relative(cwd, to) || '.'}`)
  cwd = to
}

function cat(path) {
  console.log(`$ cat ${path}`)
  process.stdout.write(fs.readFileSync(join(cwd, path), 'utf8'))
}

function varve(...args) {
  run('varve', args, [process.execPath, program, ...args])
}

function git(...args) {
  run('git', args, ['git', ...args])
}

/** Runs one command where we are, and shows it with all that it says. */
function run(name, args, [file, ...words]) {
  console.log(`$ ${[name, ...args.map(quoted)].join(' ')}`)
  const own = Object.entries(process.env).filter(([key]) => !key.startsWith('GIT_'))
  const { status, signal, stdout, stderr, error } = spawnSync(file, words, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    env: {
      ...Object.fromEntries(own),
      GIT_CONFIG_GLOBAL: devNull,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'Ada',
      GIT_AUTHOR_EMAIL: 'ada@example.org',
      GIT_COMMITTER_NAME: 'Ada',
      GIT_COMMITTER_EMAIL: 'ada@example.org',
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_DATE: date,
    },
  })
  process.stdout.write(`${stdout ?? ''}${stderr ?? ''}`)
  if (error) throw new Error(`cannot run ${name}: ${error.message}`)
  if (status !== 0) throw new Error(`${name} ${args[0]} ended with ${status ?? signal}`)
}

function quoted(word) {
  return /^[\w./:=-]+$/.test(word) ? word : `'${word}'`
}

/** SHA-256 and size of every tracked file that is there, by its path. */
function digestsOf(root) {
  const digests = new Map()
  for (const path of tracked.flatMap((one) => filesIn(join(root, one)).map((name) => join(one, name)))) {
    const bytes = fs.readFileSync(join(root, path))
    digests.set(path, { size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') })
  }
  return digests
}

function sameDigests(actual, expected) {
  return (
    actual.size === expected.size &&
    [...expected].every(([path, { sha256 }]) => actual.get(path)?.sha256 === sha256)
  )
}

/** The bytes of all files below a folder, or of some paths in it. */
function bytesOf(root, paths = ['']) {
  return paths
    .flatMap((path) => filesIn(join(root, path)).map((name) => fs.statSync(join(root, path, name)).size))
    .reduce((sum, size) => sum + size, 0)
}

/** Paths of all files below a folder; of a file, one empty path. */
function filesIn(path) {
  const stats = fs.statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return []
  if (!stats.isDirectory()) return ['']
  return fs.readdirSync(path, { recursive: true }).filter((name) => fs.statSync(join(path, name)).isFile())
}

function kib(bytes) {
  return `${count(Math.round(bytes / 1024))} KiB`
}

function count(number) {
  return number.toLocaleString('en')
}
