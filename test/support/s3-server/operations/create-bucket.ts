import { Bucket } from '../bucket.ts'
import { type Operation, receiveText } from '../operation.ts'
import { checkChildNames, childText, readXml } from '../read-xml.ts'
import { S3Failure } from '../s3-failure.ts'

export const createBucket: Operation = async (call) => {
  const { request, buckets, settings } = call
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(request.bucket)) throw new S3Failure('InvalidBucketName')
  const { text } = await receiveText(call)
  const place = text === '' ? undefined : readXml(text, 'CreateBucketConfiguration')
  if (place !== undefined) checkChildNames(place, ['LocationConstraint'])
  const region = (place && childText(place, 'LocationConstraint')) || 'us-east-1'
  if (region !== settings.region) throw new S3Failure('IllegalLocationConstraintException')
  if (buckets.has(request.bucket)) throw new S3Failure('BucketAlreadyOwnedByYou')
  buckets.set(request.bucket, new Bucket())
  return { headers: { location: `/${request.bucket}` } }
}
