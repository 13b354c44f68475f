import type { Remote } from '../../core/remote.ts'
import type { S3Settings } from '../../remotes/s3/s3-settings.ts'
import { createS3Remote } from '../../remotes/s3.ts'

type S3Place = { url: string; bucket: string; region: string }

/** A remote in the bucket of a test server, or in another that it may not have. */
export function openS3(
  server: S3Place,
  options: Partial<S3Settings> & { bucket?: string; prefix?: string } = {},
): Promise<Remote> {
  const { bucket = server.bucket, prefix = 'place', ...settings } = options
  return createS3Remote(
    { url: `s3://${bucket}/${prefix}`, bucket, prefix },
    { endpointUrl: server.url, region: server.region, forcePathStyle: true, ...settings },
  )
}
