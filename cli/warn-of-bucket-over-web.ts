import type { Output } from './render/output.ts'

/** A public bucket may well be read as a web site; who means to push to it has typed the wrong scheme. */
export async function warnOfBucketOverWeb(url: string, output: Pick<Output, 'warn'>): Promise<void> {
  const { bucketUrlOf } = await import('../remotes/bucket-url-of.ts')
  const bucketUrl = bucketUrlOf(url)
  if (bucketUrl === undefined) return
  output.warn(
    `${url} is a web address, which is only read, and without your keys: did you mean ${bucketUrl}?`,
  )
}
