import { afterEach, beforeEach, vi } from 'vitest'

export type AwsCredentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string }

/** Of what the SDK reads, these may be set on a developer's machine. */
const OTHERS = [
  ...['AWS_PROFILE', 'AWS_DEFAULT_PROFILE', 'AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_ENDPOINT_URL'],
  ...['AWS_ENDPOINT_URL_S3', 'AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_CA_BUNDLE'],
  ...['AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'],
]

/** In each test of one `describe`: nothing of this machine's own, and these credentials, or none, in the environment. */
export function stubAwsEnvironment(credentials: () => AwsCredentials | undefined): void {
  beforeEach(() => setAwsEnvironment(credentials()))
  afterEach(() => {
    vi.unstubAllEnvs()
  })
}

/** Undone by `vi.unstubAllEnvs`. */
export function setAwsEnvironment(credentials: AwsCredentials | undefined): void {
  for (const name of OTHERS) vi.stubEnv(name, undefined)
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
  vi.stubEnv('AWS_CONFIG_FILE', '/dev/null')
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null')
  vi.stubEnv('AWS_ACCESS_KEY_ID', credentials?.accessKeyId)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', credentials?.secretAccessKey)
  vi.stubEnv('AWS_SESSION_TOKEN', credentials?.sessionToken)
}
