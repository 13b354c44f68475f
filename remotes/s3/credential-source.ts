import type * as Sdk from '@aws-sdk/client-s3'
import type { S3Settings } from './s3-settings.ts'

/** Where the credentials that a client uses were found, in words; undefined where the SDK does not tell. */
export async function credentialSource(
  client: Sdk.S3Client,
  settings: S3Settings,
): Promise<string | undefined> {
  const identity = await client.config.credentials().catch(() => undefined)
  const { $source = {} } = (identity ?? {}) as { $source?: object }
  const marks = Object.keys($source)
  const has = (pattern: RegExp) => marks.some((mark) => pattern.test(mark))
  if (has(/^CREDENTIALS_PROFILE/)) return `the profile ${profileOf(settings) ?? 'default'}`
  if (has(/^CREDENTIALS_ENV_VARS_STS_WEB_ID_TOKEN$/)) return 'AWS_WEB_IDENTITY_TOKEN_FILE'
  if (has(/^CREDENTIALS_ENV_VARS$/)) return 'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'
  if (has(/^CREDENTIALS_HTTP$/)) return 'the role of this container'
  if (has(/^CREDENTIALS_IMDS$/)) return 'the role of this machine'
  return undefined
}

/** A profile that is named and gives no credentials: how to speak of it, and what to do where it hides others. */
export function unusableProfile(settings: S3Settings): { ofProfile: string; remedy: string | undefined } {
  const profile = profileOf(settings)
  if (profile === undefined) return { ofProfile: '', remedy: undefined }
  const isOfVariable = settings.profile === undefined
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env
  const away = isOfVariable ? 'unset AWS_PROFILE' : 'run `varve remote set NAME profile --unset`'
  return {
    ofProfile: ` for the profile ${profile}${isOfVariable ? ', which AWS_PROFILE names' : ''}`,
    remedy:
      AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY
        ? `Set up that profile, or ${away}: it stands before AWS_ACCESS_KEY_ID, which is set.`
        : undefined,
  }
}

function profileOf(settings: S3Settings): string | undefined {
  return settings.profile ?? (process.env.AWS_PROFILE || undefined)
}
