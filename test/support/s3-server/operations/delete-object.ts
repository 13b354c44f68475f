import { bucketOf, type Operation } from '../operation.ts'

export const deleteObject: Operation = (call) => {
  bucketOf(call).objects.delete(call.request.key)
  return { status: 204 }
}
