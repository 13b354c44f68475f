import type { IncomingMessage } from 'node:http'
import { S3Failure } from './s3-failure.ts'

/** What a request asks for, read from its first line and its headers. Buckets are addressed by path only. */
export type S3Request = {
  message: IncomingMessage
  method: string
  /** As it was sent, which is what its signature is about. */
  rawPath: string
  rawQuery: string
  /** Empty where it is about the service. */
  bucket: string
  /** Empty where it is about the bucket. */
  key: string
  query: ReadonlyMap<string, string>
  /** By lower-case name; equal names joined with a comma. */
  headers: ReadonlyMap<string, string>
}

const MOST_KEY_BYTES = 1024

/** @throws S3Failure InvalidURI, KeyTooLongError, or InvalidArgument where a parameter is there twice */
export function readS3Request(message: IncomingMessage): S3Request {
  const [rawPath = '', rawQuery = ''] = splitOnce(message.url ?? '', '?')
  if (!rawPath.startsWith('/')) throw new S3Failure('InvalidURI')
  const [bucket, key] = splitOnce(rawPath.slice(1), '/').map(decode)
  if (Buffer.byteLength(key ?? '') > MOST_KEY_BYTES) throw new S3Failure('KeyTooLongError')
  const query = new Map<string, string>()
  for (const [name, value] of readQuery(rawQuery)) {
    if (query.has(name)) throw new S3Failure('InvalidArgument', `the parameter ${name} is there twice`)
    query.set(name, value)
  }
  const headers = new Map<string, string>()
  for (const [name, values] of Object.entries(message.headersDistinct)) {
    headers.set(name, (values ?? []).join(','))
  }
  const method = message.method ?? ''
  return { message, method, rawPath, rawQuery, bucket: bucket ?? '', key: key ?? '', query, headers }
}

/** Names and values, decoded, in the order in which they are sent. */
export function readQuery(rawQuery: string): [name: string, value: string][] {
  return rawQuery
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', value = ''] = splitOnce(pair, '=').map((part) => decode(part.replaceAll('+', ' ')))
      return [name, value]
    })
}

/** @throws S3Failure InvalidArgument where the header or parameter `name` is no whole number */
export function readCount(name: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new S3Failure('InvalidArgument', `${name} is no whole number: ${text}`)
  return Number(text)
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new S3Failure('InvalidURI')
  }
}
