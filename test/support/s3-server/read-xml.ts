import { S3Failure } from './s3-failure.ts'

export type XmlNode = { name: string; text: string; children: XmlNode[] }

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/**
 * Reads what requests hold: elements and text. Attributes are passed over; comments, CDATA and DTDs are refused.
 * @throws S3Failure MalformedXML
 */
export function readXml(document: string, root: string): XmlNode {
  const text = document.replace(/^\uFEFF?\s*(<\?xml[^>]*\?>)?\s*/, '')
  const token = /<(\/?)([A-Za-z_][\w.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/y
  const top: XmlNode = { name: '', text: '', children: [] }
  const open = [top]
  while (token.lastIndex < text.length) {
    const match = token.exec(text)
    if (match === null) throw new S3Failure('MalformedXML')
    const [, closing, name, , empty, characters] = match
    const current = open.at(-1)!
    if (characters !== undefined) current.text += unescapeXml(characters)
    else if (closing === '/') {
      if (current.name !== name || open.length === 1) throw new S3Failure('MalformedXML')
      open.pop()
    } else {
      const node = { name: name!, text: '', children: [] }
      current.children.push(node)
      if (empty !== '/') open.push(node)
    }
  }
  const [only, ...more] = top.children
  if (open.length > 1 || only?.name !== root || more.length > 0 || top.text.trim() !== '') {
    throw new S3Failure('MalformedXML')
  }
  return only
}

/** The text of the one child of that name. @throws S3Failure MalformedXML where there are several */
export function childText(node: XmlNode, name: string): string | undefined {
  const found = node.children.filter((child) => child.name === name)
  if (found.length > 1) throw new S3Failure('MalformedXML')
  return found[0]?.text
}

/** @throws S3Failure MalformedXML where a child has another name, so that nothing asked for is passed over. */
export function checkChildNames(node: XmlNode, names: readonly string[]): void {
  const stranger = node.children.find((child) => !names.includes(child.name))
  if (stranger !== undefined) throw new S3Failure('MalformedXML', `${node.name} holds ${stranger.name}`)
}

function unescapeXml(text: string): string {
  return text.replace(/&([^;&]*);?/g, (whole, name: string) => {
    const reference = /^#(?:x([0-9a-fA-F]+)|(\d+))$/.exec(name)
    const character =
      reference === null
        ? ENTITIES[name]
        : String.fromCodePoint(reference[1] ? Number.parseInt(reference[1], 16) : Number(reference[2]))
    if (character === undefined || !whole.endsWith(';')) throw new S3Failure('MalformedXML')
    return character
  })
}
