import { bucketOf, type Operation } from '../operation.ts'

export const headBucket: Operation = (call) => {
  bucketOf(call)
  return { headers: { 'x-amz-bucket-region': call.settings.region } }
}
