import type * as Sdk from '@aws-sdk/client-s3'

/** No upload takes longer: whoever began it is gone. */
const LEFTOVER_AGE_MS = 7 * 24 * 3600 * 1000
/** Rarely more than one page: the rest waits for the next time. */
const MOST_PAGES = 3

/** Others may keep things in the same place. */
const LARGE_VALUES = /^(packs|index|sample)\//

/**
 * Ends uploads in parts that nobody will complete: a service keeps their parts, and charges for them, but shows them in
 * no listing. Asked for without a prefix, which some services take for a whole key. A user without the right to do
 * this is no worse off, so nothing that goes wrong is told.
 */
export async function sweepUploads(options: {
  sdk: typeof Sdk
  client: Sdk.S3Client
  bucket: string
  root: string
  payer: object
}): Promise<void> {
  const { sdk, client, bucket, root, payer } = options
  const isOurs = (key: string) => key.startsWith(root) && LARGE_VALUES.test(key.slice(root.length))
  try {
    let marker: object = {}
    for (let pages = 0; pages < MOST_PAGES; pages++) {
      const page = await client.send(
        new sdk.ListMultipartUploadsCommand({ Bucket: bucket, ...payer, ...marker }),
      )
      for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
        if (Key === undefined || !isOurs(Key) || Initiated === undefined) continue
        if (Date.now() - Initiated.getTime() < LEFTOVER_AGE_MS) continue
        await client.send(new sdk.AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId, ...payer }))
      }
      if (!page.IsTruncated) return
      marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
    }
  } catch {
    return
  }
}
