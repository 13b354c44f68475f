import { VarveError } from '../../core/errors.ts'

/** What a remote's config says of S3; docs/remotes/s3.md. */
export type S3Settings = {
  /** Of another service than Amazon's. */
  endpointUrl?: string
  region?: string
  /** The bucket in the path, not in the host's name: as most services but Amazon's want it, and so the default there. */
  forcePathStyle: boolean
  /** Of the credentials files. */
  profile?: string
  storageClass?: StorageClass
  serverSideEncryption?: 'AES256' | 'aws:kms' | 'aws:kms:dsse'
  kmsKeyId?: string
  acl?: Acl
  requestPayer?: 'requester'
}

const STORAGE_CLASSES = [
  'STANDARD',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
  'REDUCED_REDUNDANCY',
  'EXPRESS_ONEZONE',
] as const
const ACLS = [
  'private',
  'bucket-owner-full-control',
  'bucket-owner-read',
  'authenticated-read',
  'public-read',
  'public-read-write',
  'aws-exec-read',
] as const
const ENCRYPTIONS = ['AES256', 'aws:kms', 'aws:kms:dsse'] as const

type StorageClass = (typeof STORAGE_CLASSES)[number]
type Acl = (typeof ACLS)[number]

export const S3_SETTING_NAMES = [
  ...[
    'endpointUrl',
    'region',
    'forcePathStyle',
    'profile',
    'storageClass',
    'serverSideEncryption',
    'kmsKeyId',
    'acl',
  ],
  'requestPayer',
] as const

/** @throws BAD_CONFIG for a value that the setting cannot have */
export function parseS3Settings(settings: ReadonlyMap<string, string>): S3Settings {
  const endpointUrl = settings.get('endpointUrl')
  if (endpointUrl !== undefined) checkEndpoint(endpointUrl)
  const storageClass = oneOf(settings, 'storageClass', STORAGE_CLASSES)
  const serverSideEncryption = oneOf(settings, 'serverSideEncryption', ENCRYPTIONS)
  const acl = oneOf(settings, 'acl', ACLS)
  const requestPayer = oneOf(settings, 'requestPayer', ['requester'] as const)
  const forcePathStyle = oneOf(settings, 'forcePathStyle', ['true', 'false'] as const)
  const [region, profile, kmsKeyId] = ['region', 'profile', 'kmsKeyId'].map((name) => settings.get(name))
  if (kmsKeyId !== undefined && !serverSideEncryption?.startsWith('aws:kms')) {
    throw new VarveError('BAD_CONFIG', 'kmsKeyId is set, and serverSideEncryption is not aws:kms', {
      hint: 'Set it too: `varve remote set NAME serverSideEncryption aws:kms`.',
    })
  }
  return {
    forcePathStyle: forcePathStyle === undefined ? endpointUrl !== undefined : forcePathStyle === 'true',
    ...(endpointUrl !== undefined && { endpointUrl }),
    ...(region !== undefined && { region }),
    ...(profile !== undefined && { profile }),
    ...(kmsKeyId !== undefined && { kmsKeyId }),
    ...(storageClass !== undefined && { storageClass }),
    ...(serverSideEncryption !== undefined && { serverSideEncryption }),
    ...(acl !== undefined && { acl }),
    ...(requestPayer !== undefined && { requestPayer }),
  }
}

function oneOf<const T extends string>(
  settings: ReadonlyMap<string, string>,
  name: string,
  values: readonly T[],
): T | undefined {
  const value = settings.get(name)
  if (value === undefined || values.includes(value as T)) return value as T | undefined
  throw new VarveError('BAD_CONFIG', `${name} cannot be ${JSON.stringify(value)}`, {
    hint: `Use one of: ${values.join(', ')}.`,
  })
}

function checkEndpoint(endpointUrl: string): void {
  const url = URL.canParse(endpointUrl) ? new URL(endpointUrl) : undefined
  const isPlain =
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    url.username === '' &&
    url.password === '' &&
    url.search === '' &&
    url.hash === ''
  if (isPlain) return
  throw new VarveError('BAD_CONFIG', 'endpointUrl is not the URL of a service', {
    hint: 'Write https://host or https://host:port, without a user, password or query.',
  })
}
