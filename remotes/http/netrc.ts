import { VarveError } from '../../core/errors.ts'

export type Credentials = { login: string; password: string }

/** `machine` is in lower case; undefined for the entry `default`. */
export type NetrcEntry = {
  machine: string | undefined
  login: string | undefined
  password: string | undefined
}

/**
 * Reads the text of a `.netrc` (GNU Inetutils manual, "The .netrc file"), with the quotes and comments that curl takes:
 * a word in double quotes may hold spaces and the escapes `\"`, `\\`, `\n`, `\r`, `\t`; `#` begins a comment where a
 * keyword may stand. No message repeats a word of the file: it could be a password.
 * @throws BAD_CONFIG for what is none; `where` names the file
 */
export function parseNetrc(text: string, where: string): NetrcEntry[] {
  const words: Words = new Words(text, where)
  const entries: NetrcEntry[] = []
  let entry: NetrcEntry | undefined
  for (let keyword = words.keyword(); keyword !== undefined; keyword = words.keyword()) {
    switch (keyword) {
      case 'machine':
      case 'default': {
        if (entry !== undefined && entry.machine === undefined) words.fail('nothing may follow `default`')
        const machine = keyword === 'machine' ? words.value(keyword).toLowerCase() : undefined
        entry = { machine, login: undefined, password: undefined }
        entries.push(entry)
        break
      }
      case 'login':
      case 'password':
        if (entry === undefined) words.fail(`\`${keyword}\` stands before any \`machine\``)
        entry[keyword] ??= words.value(keyword)
        break
      case 'account':
        words.value(keyword)
        break
      case 'macdef':
        words.value(keyword)
        words.skipMacro()
        break
      default:
        words.fail('a word that is none of machine, default, login, password, account and macdef')
    }
  }
  return entries
}

/** The first entry of the host counts, or else `default`. An entry without login or password gives nothing. */
export function findCredentials(entries: readonly NetrcEntry[], hostname: string): Credentials | undefined {
  const wanted = hostname.toLowerCase()
  const entry =
    entries.find(({ machine }) => machine === wanted) ?? entries.find(({ machine }) => machine === undefined)
  if (entry?.login === undefined || entry.password === undefined) return undefined
  return { login: entry.login, password: entry.password }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }

class Words {
  readonly #text: string
  readonly #where: string
  #at = 0

  constructor(text: string, where: string) {
    this.#text = text.replace(/^\ufeff/, '')
    this.#where = where
  }

  /** The next word where a keyword may stand; undefined at the end. */
  keyword(): string | undefined {
    for (;;) {
      this.#skip(/\s+/y)
      if (this.#text[this.#at] !== '#') return this.#word()
      this.#skip(/[^\n]*/y)
    }
  }

  value(keyword: string): string {
    this.#skip(/\s+/y)
    return this.#word() ?? this.fail(`\`${keyword}\` has no value`)
  }

  /** A macro ends at an empty line. */
  skipMacro(): void {
    const end = /\r?\n[ \t]*\r?\n/g
    end.lastIndex = this.#at
    this.#at = end.exec(this.#text) === null ? this.#text.length : end.lastIndex
  }

  fail(why: string): never {
    const line = this.#text.slice(0, this.#at).split('\n').length
    throw new VarveError('BAD_CONFIG', `${this.#where}, line ${line}: ${why}`, {
      hint: 'Write each entry as: machine HOST login USER password "PASSWORD".',
    })
  }

  #word(): string | undefined {
    if (this.#text[this.#at] === '"') return this.#quoted()
    const start = this.#at
    this.#skip(/\S+/y)
    return this.#at === start ? undefined : this.#text.slice(start, this.#at)
  }

  #quoted(): string {
    let word = ''
    for (this.#at++; ; this.#at++) {
      const character = this.#text[this.#at]
      if (character === undefined || character === '\n') this.fail('a quote that does not end on its line')
      if (character === '"') break
      if (character !== '\\') {
        word += character
        continue
      }
      const escaped = this.#text[++this.#at] ?? ''
      word += ESCAPES[escaped] ?? escaped
    }
    this.#at++
    return word
  }

  #skip(pattern: RegExp): void {
    pattern.lastIndex = this.#at
    if (pattern.exec(this.#text) !== null) this.#at = pattern.lastIndex
  }
}
