/** `url` is safe to print. `prefix` has no slash at either end. */
export type S3Place = { url: string; bucket: string; prefix: string }
