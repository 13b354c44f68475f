import { isRegularFileMode } from './file-mode.ts'
import { type GitObjectId, toGitObjectId } from './object-id.ts'
import { pointerPathFrom } from './pointer-path.ts'
import type { Repository } from './repository.ts'
import { splitRecords } from './split-records.ts'
import { streamGit } from './stream-git.ts'

export type LoggedCommit = {
  commit: GitObjectId
  parents: readonly GitObjectId[]
  authorName: string
  authorEmail: string
  /** When it was authored: strict ISO 8601, with the author's own offset from UTC. */
  date: string
  /** The first line of the commit's message. */
  subject: string
  changes: readonly PointerChange[]
}

export type PointerChange = {
  path: string
  /** Undefined where the commit deletes the pointer, or puts a link or a sub-module in its place. */
  blobSha: GitObjectId | undefined
  /** Git's letter for the change against each parent in turn: A added, M modified, D deleted, T another kind. */
  statuses: string
}

export type LogRequest = {
  /** What git reads as revisions, one a line. */
  revisions: Iterable<string>
  /** Flags that choose revisions, such as `--all`. */
  flags?: readonly string[]
  pathspec: string
  pathspecs: 'literal' | 'glob'
}

const HEADER_MARK = 1
const FIELDS = 7
const COLON = 0x3a
const LINE_FEED = 0x0a

/** Each field ends at a NUL, and `-z` ends the last one. */
const FORMAT = '%x01%x00%H%x00%P%x00%aN%x00%aE%x00%aI%x00%s'

/** What a user may have set for `git log`, and what it must be here. */
const SETTINGS = {
  'log.showSignature': 'false',
  'log.showRoot': 'true',
  'log.follow': 'false',
}

/**
 * The commits that change pointers, newest first, with what they change. A merge shows what differs from
 * all of its parents: the rest came from one of them. Side branches that a merge discarded are walked too.
 */
export async function* streamLog(repository: Repository, request: LogRequest): AsyncGenerator<LoggedCommit> {
  const args = ['log', '--stdin', ...(request.flags ?? []), '--full-history', '-c', '--raw', '-z']
  args.push('--no-abbrev', '--no-renames', '--encoding=UTF-8', `--format=${FORMAT}`, '--', request.pathspec)
  const output = streamGit(repository.root, args, {
    input: lines(request.revisions),
    pathspecs: request.pathspecs,
    config: SETTINGS,
  })
  let header: Buffer[] = []
  let changes: PointerChange[] = []
  let change: Buffer | undefined
  for await (const records of splitRecords(output)) {
    for (const record of records) {
      if (header.length > 0 && header.length < FIELDS) {
        header.push(record)
      } else if (change !== undefined) {
        const parsed = parseChange(change, record)
        if (parsed !== undefined) changes.push(parsed)
        change = undefined
      } else if (record[0] === HEADER_MARK) {
        if (header.length > 0) yield parseCommit(header, changes)
        header = [record]
        changes = []
      } else {
        // A line break, or another NUL, stands between a header and the changes.
        const start = record[0] === LINE_FEED ? 1 : 0
        if (record[start] === COLON) change = record.subarray(start)
      }
    }
  }
  if (header.length > 0) yield parseCommit(header, changes)
}

function* lines(revisions: Iterable<string>): Generator<string> {
  for (const revision of revisions) yield `${revision}\n`
}

function parseCommit(header: readonly Buffer[], changes: readonly PointerChange[]): LoggedCommit {
  const [, commit, parents, authorName, authorEmail, date, subject] = header.map((field) => field.toString())
  return {
    commit: toGitObjectId(commit!),
    parents: parents === '' ? [] : parents!.split(' ').map(toGitObjectId),
    authorName: authorName!,
    authorEmail: authorEmail!,
    date: date!,
    subject: subject!,
    changes,
  }
}

/** `:MODE MODE OBJECT OBJECT STATUS`, the old ones first; with n parents n colons, n old ones, n letters. */
function parseChange(raw: Buffer, pathBytes: Buffer): PointerChange | undefined {
  const path = pointerPathFrom(pathBytes)
  if (path === undefined) return undefined
  const text = raw.toString('latin1')
  const parents = /^:+/.exec(text)![0].length
  const fields = text.slice(parents).split(' ')
  const mode = fields[parents]!
  const blobSha = fields[2 * parents + 1]!
  return {
    path,
    blobSha: isRegularFileMode(mode) ? toGitObjectId(blobSha) : undefined,
    statuses: fields[2 * parents + 2]!,
  }
}
