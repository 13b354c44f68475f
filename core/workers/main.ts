import { parentPort } from 'node:worker_threads'
import { receiveTask } from '../store/receive-task.ts'
import { verifyTask } from '../store/verify-task.ts'
import { hashTask } from '../workspace/hash-task.ts'
import { ingestTask } from '../workspace/ingest-task.ts'
import { materialiseTask } from '../workspace/materialise-task.ts'
import { placeTask } from '../workspace/place-task.ts'
import { scanTask } from '../workspace/scan-task.ts'
import { type FromThread, packError, type ToThread, unpackError } from './messages.ts'
import type { Task } from './workers.ts'

/** The entry of a worker thread: runs the tasks that it is told to, one at a time. */
const tasks = new Map<string, Task<never, unknown, never, unknown>>(
  [hashTask, ingestTask, materialiseTask, placeTask, receiveTask, scanTask, verifyTask].map((task) => [
    task.name,
    task as unknown as Task<never, unknown, never, unknown>,
  ]),
)

const port = parentPort!
const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>()
let lastId = 0

function send(message: FromThread, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer)
}

port.on('message', async (message: ToThread) => {
  if (message.type === 'answer') {
    waiting.get(message.id)!.resolve(message.value as never)
    waiting.delete(message.id)
  } else if (message.type === 'refusal') {
    waiting.get(message.id)!.reject(unpackError(message.error))
    waiting.delete(message.id)
  } else {
    try {
      const task = tasks.get(message.task)!
      const value = await task.run(message.input as never, (question, transfer) => {
        const id = ++lastId
        send({ type: 'ask', id, question }, transfer)
        return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }))
      })
      send({ type: 'result', value })
    } catch (error) {
      send({ type: 'failure', error: packError(error) })
    }
  }
})
