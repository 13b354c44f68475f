const NUL = 0

/**
 * Cuts a stream at NUL characters, as `-z` separates names; gives the records of each piece together.
 * What follows the last NUL is a record only if it is not empty.
 */
export async function* splitRecords(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer[]> {
  let rest: Buffer[] = []
  for await (const chunk of source) {
    const records: Buffer[] = []
    let start = 0
    for (let end = chunk.indexOf(NUL); end !== -1; end = chunk.indexOf(NUL, start)) {
      const tail = chunk.subarray(start, end)
      records.push(rest.length === 0 ? tail : Buffer.concat([...rest, tail]))
      rest = []
      start = end + 1
    }
    if (start < chunk.length) rest.push(chunk.subarray(start))
    if (records.length > 0) yield records
  }
  if (rest.length > 0) yield [Buffer.concat(rest)]
}
