/** What an element holds: text, or elements; an array is the element once for each item. */
export type XmlValue = string | number | boolean | XmlElements | readonly XmlValue[] | undefined
export type XmlElements = { readonly [name: string]: XmlValue }

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/'

/** A whole document. S3 gives its errors no namespace. */
export function writeXml(root: string, content: XmlElements): string {
  const namespace = root === 'Error' ? '' : ` xmlns="${NAMESPACE}"`
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${namespace}>${elements(content)}</${root}>`
}

function elements(content: XmlElements): string {
  return Object.entries(content)
    .map(([name, value]) => element(name, value))
    .join('')
}

function element(name: string, value: XmlValue): string {
  if (value === undefined) return ''
  if (Array.isArray(value)) return value.map((item) => element(name, item)).join('')
  const inner = typeof value === 'object' ? elements(value as XmlElements) : escapeXml(String(value))
  return `<${name}>${inner}</${name}>`
}

function escapeXml(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters of keys are written as references, as S3 does
  return text.replace(/[&<>"'\u0000-\u001f\u007f]/g, (character) => `&#${character.charCodeAt(0)};`)
}
