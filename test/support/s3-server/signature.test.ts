import { request as requestOf } from 'node:http'
import { describe, expect, it } from 'vitest'
import { startTestServer } from './s3-test-client.ts'

const DAY = '20130524'
const SCOPE = `AKIAIOSFODNN7EXAMPLE/${DAY}/us-east-1/s3/aws4_request`

/** The server that the examples of the documentation of S3 speak to, on the day on which they do. */
function startExampleServer() {
  return startTestServer({
    bucket: 'examplebucket',
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    now: () => new Date('2013-05-24T00:00:00Z'),
  })
}

/** Sends headers as they are, with the host of the example. */
function send(options: {
  port: number
  method: string
  path: string
  headers: Record<string, string>
  body?: Buffer
}): Promise<{ status: number | undefined; text: string }> {
  const { body, ...request } = options
  return new Promise((resolve, reject) => {
    const sent = requestOf({ host: '127.0.0.1', ...request }, (answer) => {
      const pieces: Buffer[] = []
      answer.on('data', (piece) => pieces.push(piece))
      answer.on('end', () => resolve({ status: answer.statusCode, text: Buffer.concat(pieces).toString() }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** 65 KiB of one letter, in chunks of 64 KiB, each with a signature of the documentation. */
function codeChunks(signatures: readonly string[], end: string): Buffer {
  const sizes = [65_536, 1024, 0]
  const chunks = sizes.map((sizeBytes, i) => {
    const line = `${sizeBytes.toString(16)};chunk-signature=${signatures[i]}\r\n`
    return line + 'a'.repeat(sizeBytes) + (sizeBytes === 0 ? end : '\r\n')
  })
  return Buffer.from(chunks.join(''), 'latin1')
}

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
describe('the example of signed chunks', () => {
  const signatures = [
    'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
    '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
    'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
  ]

  async function put(body: Buffer) {
    const server = await startExampleServer()
    const answer = await send({
      port: server.port,
      method: 'PUT',
      path: '/examplebucket/chunkObject.txt',
      headers: {
        host: 's3.amazonaws.com',
        'x-amz-date': `${DAY}T000000Z`,
        'x-amz-storage-class': 'REDUCED_REDUNDANCY',
        'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
        'x-amz-decoded-content-length': '66560',
        'content-encoding': 'aws-chunked',
        'content-length': '66824',
        authorization:
          `AWS4-HMAC-SHA256 Credential=${SCOPE},SignedHeaders=content-encoding;content-length;host;` +
          'x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class,' +
          'Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
      },
      body,
    })
    return { ...answer, stored: server.objects.get('chunkObject.txt') }
  }

  it('is accepted', async () => {
    const { status, stored } = await put(codeChunks(signatures, '\r\n'))
    expect(status).toBe(200)
    expect(stored?.bytes.sizeBytes).toBe(66_560)
    expect(stored?.headers.storageClass).toBe('REDUCED_REDUNDANCY')
  })

  it.each([
    ['another byte', (body: Buffer) => body.fill('b', 1000, 1001)],
    ['another signature', (body: Buffer) => body.fill('ae', 22, 24)],
    ['another end', (body: Buffer) => body.fill('0', body.length - 5, body.length - 4)],
  ])('is refused with %s', async (_, change) => {
    const { status, text, stored } = await put(change(codeChunks(signatures, '\r\n')))
    expect(status).toBe(403)
    expect(text).toContain('SignatureDoesNotMatch')
    expect(stored).toBeUndefined()
  })
})

// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
describe('the example of signed chunks with a trailer', () => {
  const signatures = [
    'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2',
    '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7',
    '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992',
  ]
  const trailerSignature = 'd81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435'

  async function put(trailer: string) {
    const server = await startExampleServer()
    const body = codeChunks(signatures, trailer)
    const answer = await send({
      port: server.port,
      method: 'PUT',
      path: '/examplebucket/chunkObject.txt',
      headers: {
        host: 's3.amazonaws.com',
        'x-amz-date': `${DAY}T000000Z`,
        'x-amz-storage-class': 'REDUCED_REDUNDANCY',
        'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
        'x-amz-decoded-content-length': '66560',
        'x-amz-trailer': 'x-amz-checksum-crc32c',
        'content-encoding': 'aws-chunked',
        'content-length': String(body.length),
        authorization:
          `AWS4-HMAC-SHA256 Credential=${SCOPE},SignedHeaders=content-encoding;host;` +
          'x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer,' +
          'Signature=106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e',
      },
      body,
    })
    return { ...answer, stored: server.objects.get('chunkObject.txt') }
  }

  it('is accepted', async () => {
    const trailer = `x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:${trailerSignature}\r\n\r\n`
    const { status, stored } = await put(trailer)
    expect(status).toBe(200)
    expect(stored?.checksum).toEqual({ algorithm: 'crc32c', type: 'FULL_OBJECT', value: 'sOO8/Q==' })
  })

  it('is refused with another signature of the trailer', async () => {
    const trailer = `x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:${'0'.repeat(64)}\r\n\r\n`
    const { status, text } = await put(trailer)
    expect(status).toBe(403)
    expect(text).toContain('SignatureDoesNotMatch')
  })
})
