/** A folder on a server. */
export type SshPlace = {
  /** Safe to print. */
  url: string
  /** Undefined: as the user's own configuration says. */
  user: string | undefined
  host: string
  port: number | undefined
  /** Absolute, or from the login folder with a leading `~/`. */
  path: string
}
