/** The name of a git object: 40 hex digits (SHA-1 repositories) or 64 (SHA-256), lower case. */
export type GitObjectId = string & { readonly [gitObjectIdBrand]: true }
declare const gitObjectIdBrand: unique symbol

export function isGitObjectId(text: string): text is GitObjectId {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text)
}

/** For what git itself printed. */
export function toGitObjectId(text: string): GitObjectId {
  if (isGitObjectId(text)) return text
  throw new Error(`git printed ${JSON.stringify(text.slice(0, 80))} in place of an object id`)
}
