import picocolors from 'picocolors'

/** Functions that put text in colour, or leave it as it is. */
export type Paint = ReturnType<typeof picocolors.createColors>

export function createPaint(inColour: boolean): Paint {
  return picocolors.createColors(inColour)
}

/** NO_COLOR and FORCE_COLOR as their conventions say; else colour on a terminal that can show it. */
export function wantsColour(
  stream: { isTTY?: boolean | undefined },
  variables: Readonly<Record<string, string | undefined>>,
): boolean {
  if (variables.NO_COLOR) return false
  const forced = variables.FORCE_COLOR
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  return stream.isTTY === true && variables.TERM !== 'dumb'
}
