/**
 * How far an operation has come. Counts are totals so far, never increments; a total that is not known
 * (yet) is left out. `phase` is one word or two in the present participle: `hashing`, `uploading packs`.
 */
export type ProgressEvent = {
  phase: string
  filesDone?: number
  filesTotal?: number
  bytesDone?: number
  bytesTotal?: number
}

/** Called often, from hot loops: it must return at once and never throw. */
export type OnProgress = (event: ProgressEvent) => void
