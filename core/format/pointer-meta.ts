import { type Document, isMap, isScalar, parseDocument, Scalar, type YAMLMap } from 'yaml'
import { VarveError } from '../errors.ts'
import type { Pointer } from './pointer.ts'
import { type PointerBlock, readPointerLines, splitPointerBlocks } from './pointer-text.ts'

const DESCRIPTION_KEY = 'desc'
const MAX_LABEL_CHARACTERS = 128
const MAX_VALUE_CHARACTERS = 65_536

/**
 * The user's own keys under `meta:`; `desc` is the description. Every scalar is a string as it was typed: `0.10` stays `0.10`.
 * @throws MALFORMED when the block is not a YAML mapping.
 */
export function readMeta(pointer: Pointer): Record<string, unknown> {
  const block = splitExtra(pointer.extra).find(({ key }) => key === 'meta')
  if (block === undefined) return {}
  const { document, meta } = parseMeta(block.text)
  try {
    return meta.toJS(document)
  } catch (error) {
    throw badMeta(error)
  }
}

/**
 * The pointer with a description or labels set; other keys under `meta:` stay, and all outside it stays byte for byte.
 * @throws USAGE for a label or value that cannot be kept, MALFORMED when the block is not a YAML mapping.
 */
export function withMeta(
  pointer: Pointer,
  changes: { description?: string; labels?: Record<string, string> },
): Pointer {
  const labels = Object.entries(changes.labels ?? {})
  for (const [label] of labels) checkLabel(label)
  const values =
    changes.description === undefined ? labels : [[DESCRIPTION_KEY, changes.description] as const, ...labels]
  if (values.length === 0) return pointer
  for (const [label, value] of values) checkValue(label, value)

  const blocks = splitExtra(pointer.extra)
  const at = blocks.findIndex(({ key }) => key === 'meta')
  const { document, meta } = parseMeta(at === -1 ? 'meta:\n' : blocks[at]!.text)
  const scalar = (text: string) => {
    const node = new Scalar(text)
    if (text === '' || !isPrintable(text)) node.type = 'QUOTE_DOUBLE'
    return node
  }
  for (const [label, value] of values) meta.set(scalar(label), scalar(value))
  const text = document.toString({ lineWidth: 0, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER })

  const block = { key: 'meta', text }
  const edited = at === -1 ? [block, ...blocks] : blocks.with(at, block)
  return { ...pointer, extra: edited.map((each) => each.text).join('') }
}

function parseMeta(text: string): { document: Document; meta: YAMLMap } {
  let document: Document
  try {
    document = parseDocument(text, { schema: 'failsafe', prettyErrors: false })
  } catch (error) {
    throw badMeta(error)
  }
  if (document.errors.length > 0) throw badMeta(document.errors[0])
  const root = document.contents
  const value = isMap(root) ? root.get('meta', true) : undefined
  if (isMap(value)) return { document, meta: value }
  if (!isMap(root) || (value !== undefined && !(isScalar(value) && value.source === ''))) {
    throw badMeta(new Error('"meta" is not a mapping of keys to values'))
  }
  const meta = document.createNode({}) as YAMLMap
  root.set('meta', meta)
  return { document, meta }
}

function splitExtra(extra: string): PointerBlock[] {
  if (extra === '') return []
  return splitPointerBlocks(readPointerLines(extra, 'pointer'), { where: 'pointer', firstLine: 1 })
}

function checkLabel(label: string): void {
  let problem: string | undefined
  if (label === '') problem = 'is empty'
  else if (label === DESCRIPTION_KEY) problem = 'is where the description is kept'
  else if (label.length > MAX_LABEL_CHARACTERS) problem = `is longer than ${MAX_LABEL_CHARACTERS} characters`
  else if (/[\p{Cc}\p{Cs}]/u.test(label)) problem = 'has a control character in it'
  if (problem === undefined) return
  throw new VarveError('USAGE', `the label ${JSON.stringify(label.slice(0, 80))} ${problem}`, {
    hint: 'Choose another name for this label.',
  })
}

function checkValue(label: string, value: string): void {
  let problem: string | undefined
  if (value.length > MAX_VALUE_CHARACTERS) problem = `is longer than ${MAX_VALUE_CHARACTERS} characters`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to find
  else if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\p{Cs}]/u.test(value))
    problem = 'has a control character in it'
  if (problem === undefined) return
  throw new VarveError('USAGE', `the value of ${JSON.stringify(label)} ${problem}`, {
    hint: 'Give it as a shorter text without control characters.',
  })
}

/** Whether nothing in `text` ends a line or does not show: YAML may then write it without quotes. */
function isPrintable(text: string): boolean {
  return !/[\p{C}\p{Zl}\p{Zp}]/u.test(text)
}

function badMeta(error: unknown): VarveError {
  const why = error instanceof Error ? error.message.split('\n')[0] : String(error)
  return new VarveError('MALFORMED', `the "meta:" block of a pointer cannot be read: ${why}`, {
    hint: 'Correct the YAML under "meta:" in the pointer file.',
    cause: error,
  })
}
