/** What is said of an answer: a message that follows the place and a colon, and what to do. */
export type Telling = { message: string; hint: string; isOfOneKey?: true; isOfCredentials?: true }

/** `NAME` stands for the remote's. */
export const GIVE_CREDENTIALS =
  'Give credentials in one of the ways that the AWS tools read: a profile (`varve remote set NAME profile P`, or AWS_PROFILE), `aws sso login`, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.'
export const NEW_TOKEN = 'Log in again (`aws sso login`), or get a new session token.'

/** By the name that the service gives its answer. */
export const TELLINGS: Readonly<Record<string, Telling>> = {
  InvalidAccessKeyId: {
    message: 'the access key is not known there',
    hint: GIVE_CREDENTIALS,
    isOfCredentials: true,
  },
  SignatureDoesNotMatch: {
    message: 'the secret key does not belong to the access key (or not to this place)',
    hint: GIVE_CREDENTIALS,
    isOfCredentials: true,
  },
  InvalidToken: { message: 'the session token is not valid there', hint: NEW_TOKEN, isOfCredentials: true },
  InvalidTokenId: { message: 'the session token is not valid there', hint: NEW_TOKEN, isOfCredentials: true },
  InvalidClientTokenId: {
    message: 'the access key is not known there',
    hint: GIVE_CREDENTIALS,
    isOfCredentials: true,
  },
  ExpiredToken: { message: 'the session token has expired', hint: NEW_TOKEN, isOfCredentials: true },
  ExpiredTokenException: { message: 'the session token has expired', hint: NEW_TOKEN, isOfCredentials: true },
  TokenRefreshRequired: { message: 'the session token has expired', hint: NEW_TOKEN, isOfCredentials: true },
  RequestTimeTooSkewed: {
    message: "this machine's clock differs too much from the server's",
    hint: 'Set the clock (for example `timedatectl set-ntp true`), and run the command again.',
  },
  // Not NOT_FOUND, which says that the place is there and lacks a value.
  NoSuchBucket: {
    message: 'there is no such bucket',
    hint: 'Check the name with `varve remote list`; make the bucket if it is new.',
  },
  InvalidBucketName: {
    message: 'the name of the bucket is not valid there',
    hint: 'Check the URL: a bucket has 3 to 63 lower-case letters, digits, dots and dashes in its name.',
  },
  AuthorizationHeaderMalformed: {
    message: 'the bucket is in another region than the one that was asked',
    hint: "Set the bucket's own: `varve remote set NAME region REGION`.",
  },
  PermanentRedirect: {
    message: 'the bucket is in another region, or under another endpoint',
    hint: "Set the bucket's own: `varve remote set NAME region REGION`, and endpointUrl where it is not Amazon's.",
  },
  IllegalLocationConstraintException: {
    message: 'the bucket is in another region than the one that was asked',
    hint: "Set the bucket's own: `varve remote set NAME region REGION`.",
  },
  InvalidStorageClass: {
    message: 'the service has no such storage class',
    hint: 'Take it out: `varve remote set NAME storageClass --unset`.',
  },
  InvalidObjectState: {
    message: 'the object is archived, and must be restored before it can be read',
    hint: 'Restore it with the tools of the provider, then run the command again.',
    isOfOneKey: true,
  },
  QuotaExceeded: { message: 'the quota is used up', hint: 'Ask whoever runs the service for more space.' },
  XMinioStorageFull: { message: 'the server has no space left', hint: 'Make space there, and push again.' },
}
