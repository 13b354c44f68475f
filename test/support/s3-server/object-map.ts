import type { StoredObject } from './bucket.ts'

/** Objects by key. What is replaced or deleted gives up its bytes. */
export class ObjectMap extends Map<string, StoredObject> {
  #sorted: string[] | undefined

  override set(key: string, object: StoredObject): this {
    const before = this.get(key)
    if (before === undefined) this.#sorted = undefined
    else before.bytes.drop()
    return super.set(key, object)
  }

  override delete(key: string): boolean {
    this.get(key)?.bytes.drop()
    this.#sorted = undefined
    return super.delete(key)
  }

  override clear(): void {
    for (const { bytes } of this.values()) bytes.drop()
    this.#sorted = undefined
    super.clear()
  }

  /** Keys in the order of their UTF-8 bytes, in which S3 lists them. */
  sortedKeys(): readonly string[] {
    this.#sorted ??= sortByBytes(this.keys())
    return this.#sorted
  }
}

/** In the order of the UTF-8 bytes, which is not that of JavaScript's strings. */
export function sortByBytes(texts: Iterable<string>): string[] {
  return [...texts]
    .map((text) => Buffer.from(text).toString('latin1'))
    .sort()
    .map((bytes) => Buffer.from(bytes, 'latin1').toString())
}

export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
