const DOMAIN = String.raw`amazonaws\.com(?:\.cn)?`
/** As Amazon writes its endpoints: `s3`, `s3.REGION`, `s3-REGION`, `s3.dualstack.REGION`; web sites of buckets are none. */
const SERVICE = String.raw`s3(?:[.-](?:dualstack\.)?(?!website)[a-z0-9-]+)?`
const IN_PATH = new RegExp(`^${SERVICE}\\.${DOMAIN}$`)
const IN_HOST = new RegExp(`^(?<bucket>.+?)\\.${SERVICE}\\.${DOMAIN}$`)

/** The `s3://` URL of a place whose web address at Amazon this is; undefined for any other URL. */
export function bucketUrlOf(url: string): string | undefined {
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return undefined
  const { hostname, pathname } = new URL(url)
  const path = pathname.replace(/^\/+|\/+$/g, '')
  if (IN_PATH.test(hostname)) return path === '' ? undefined : `s3://${path}`
  const bucket = IN_HOST.exec(hostname)?.groups?.bucket
  return bucket === undefined ? undefined : `s3://${bucket}${path === '' ? '' : `/${path}`}`
}
