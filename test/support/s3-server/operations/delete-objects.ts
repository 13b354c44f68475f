import { bucketOf, type Operation, receiveText } from '../operation.ts'
import { checkChildNames, childText, readXml } from '../read-xml.ts'
import { S3Failure } from '../s3-failure.ts'
import { writeXml } from '../write-xml.ts'

const MOST_KEYS = 1000

export const deleteObjects: Operation = async (call) => {
  const bucket = bucketOf(call)
  const { text, hasDigest } = await receiveText(call)
  if (!hasDigest) {
    throw new S3Failure('InvalidRequest', 'Missing required header for this request: Content-MD5')
  }
  const request = readXml(text, 'Delete')
  checkChildNames(request, ['Object', 'Quiet'])
  const keys = request.children
    .filter(({ name }) => name === 'Object')
    .map((object) => {
      checkChildNames(object, ['Key'])
      const key = childText(object, 'Key')
      if (key === undefined || key === '') throw new S3Failure('MalformedXML')
      return key
    })
  if (keys.length === 0 || keys.length > MOST_KEYS) throw new S3Failure('MalformedXML')
  for (const key of keys) bucket.objects.delete(key)
  const isQuiet = childText(request, 'Quiet') === 'true'
  return { body: writeXml('DeleteResult', isQuiet ? {} : { Deleted: keys.map((Key) => ({ Key })) }) }
}
