/** What `Content-Range` says (RFC 9110, 14.4): the part that was sent, and the length of the whole where it is known. */
export type ContentRange = {
  start: number
  endExclusive: number
  /** Undefined for `*`. */
  totalBytes: number | undefined
}

/** Undefined for a header that is missing or says something impossible. */
export function parseContentRange(header: string | undefined): ContentRange | undefined {
  const [, first, last, total] = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/i.exec(header ?? '') ?? []
  if (first === undefined) return undefined
  const start = Number(first)
  const endExclusive = Number(last) + 1
  const totalBytes = total === '*' ? undefined : Number(total)
  const isPossible = start < endExclusive && endExclusive <= (totalBytes ?? Number.MAX_SAFE_INTEGER)
  return isPossible ? { start, endExclusive, totalBytes } : undefined
}

/** The length of the whole, as an answer to a range outside of it tells. */
export function parseUnsatisfiedRange(header: string | undefined): number | undefined {
  return parseCount(/^bytes \*\/(\d+)$/i.exec(header ?? '')?.[1])
}

export function parseCount(text: string | undefined): number | undefined {
  const count = /^\d{1,16}$/.test(text ?? '') ? Number(text) : Number.NaN
  return Number.isSafeInteger(count) ? count : undefined
}
