import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { receiveBody } from './body.ts'
import type { Bucket } from './bucket.ts'
import type { ByteSpool } from './byte-spool.ts'
import type { Answer, Call, OperationSettings } from './operation.ts'
import { checkRoute, findRoute, notImplemented, type OperationName, type Route } from './route.ts'
import { S3Failure } from './s3-failure.ts'
import { readS3Request, type S3Request } from './s3-request.ts'
import { type SignatureRules, verifySignature } from './signature.ts'
import { writeXml } from './write-xml.ts'

/** What became of a request. */
export type RequestRecord = {
  operation: OperationName | 'Unknown'
  key: string
  status: number
  /** The code of the refusal. */
  code?: string
  range?: string
  requestPayer?: string
}

export type ServerState = {
  buckets: Map<string, Bucket>
  denied: ReadonlySet<string>
  settings: OperationSettings & SignatureRules
  spool: ByteSpool
  log: (record: RequestRecord) => void
}

/** Answers one request. `mustContinue`: the client waits to hear whether it is to send the body. */
export async function handleRequest(
  message: IncomingMessage,
  response: ServerResponse,
  options: { state: ServerState; mustContinue: boolean },
): Promise<void> {
  const { state, mustContinue } = options
  const record: RequestRecord = { operation: 'Unknown', key: '', status: 500 }
  let isBodyAwaited = mustContinue
  const onBody = () => {
    if (isBodyAwaited) response.writeContinue()
    isBodyAwaited = false
  }
  let answer: Answer
  try {
    answer = await answerTo(message, { state, record, onBody })
  } catch (error) {
    answer = answerOf(error)
    record.code = error instanceof S3Failure ? error.code : 'InternalError'
  }
  record.status = answer.status ?? 200
  state.log(record)
  const headers = {
    ...answer.headers,
    date: state.settings.now().toUTCString(),
    'x-amz-request-id': randomUUID(),
  }
  // A client that was not told to go on never sends the body, so nothing more can be read after it.
  await send(response, { ...answer, headers: isBodyAwaited ? { ...headers, connection: 'close' } : headers })
  message.resume()
}

async function answerTo(
  message: IncomingMessage,
  options: { state: ServerState; record: RequestRecord; onBody: () => void },
): Promise<Answer> {
  const { state, record, onBody } = options
  const { settings, buckets, denied, spool } = state
  const request = readS3Request(message)
  const route = findRoute(request)
  note(record, request, route)
  const signature = verifySignature(request, settings)
  if (route === undefined) throw notImplemented(`${request.method} ${message.url}`)
  checkRoute(route, request)
  if (denied.has(route.name)) throw new S3Failure('AccessDenied')
  const receive = () => {
    onBody()
    return receiveBody(request, { spool, signature })
  }
  const call: Call = { request, buckets, settings, denied, receive }
  if (!route.takesBody) {
    const { bytes } = await receive()
    bytes.drop()
    if (bytes.sizeBytes > 0) throw new S3Failure('InvalidRequest', `${route.name} takes no body`)
  }
  return route.run(call)
}

function note(record: RequestRecord, { key, headers }: S3Request, route: Route | undefined): void {
  record.key = key
  if (route !== undefined) record.operation = route.name as OperationName
  const range = headers.get('range')
  const requestPayer = headers.get('x-amz-request-payer')
  if (range !== undefined) record.range = range
  if (requestPayer !== undefined) record.requestPayer = requestPayer
}

function answerOf(error: unknown): Answer {
  const isRefusal = error instanceof S3Failure
  const failure = isRefusal ? error : new S3Failure('InternalError', `a fault of the test server: ${error}`)
  if (failure.code === 'NotModified') return { status: failure.status }
  const { code, message, details, status } = failure
  return { status, body: writeXml('Error', { Code: code, Message: message, ...details }) }
}

async function send(response: ServerResponse, { status = 200, headers = {}, body }: Answer): Promise<void> {
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) response.setHeader(name, value)
  }
  const hasNoBody = status === 204 || status === 304
  if (typeof body === 'string') {
    response.setHeader('content-type', 'application/xml')
    response.setHeader('content-length', Buffer.byteLength(body))
    response.end(body)
  } else if (body === undefined || hasNoBody) {
    if (!hasNoBody) response.setHeader('content-length', 0)
    response.end()
  } else {
    response.setHeader('content-length', body.sizeBytes)
    if (response.req.method === 'HEAD') response.end()
    // A client that goes away ends it.
    else await pipeline(body.bytes, response).catch(() => response.destroy())
  }
}
