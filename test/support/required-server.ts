/**
 * Whether a test may use a server program that was looked for. Where it is missing, the test is skipped under its own
 * name; in CI that would hide what nobody tested.
 */
export function requiredServer(name: string, found: boolean): boolean {
  if (!found && process.env.CI)
    throw new Error(`${name} is not installed, and in CI nothing is skipped for that`)
  return found
}
