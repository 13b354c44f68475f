export type HttpPlace = {
  /** Safe to print; without a slash at its end. */
  url: string
  /** Whether the user has trusted the host, so that it may be given credentials. */
  mayAuthenticate: boolean
}
