import { expect, test } from 'vitest'
import { digestOf } from '../../../core/content-id.ts'
import { ChunkPlaces } from '../../../core/workspace/chunk-places.ts'

const chunk = (text: string) => digestOf(Buffer.from(text))

test('a chunk has all the places that it was given, and others have theirs', () => {
  const places = new ChunkPlaces()
  places.add(chunk('a'), 0, 0)
  places.add(chunk('b'), 0, 10)
  places.add(chunk('a'), 0, 2 ** 40)
  places.add(chunk('a'), 7, 0)
  expect(places.placesOf(chunk('a'))).toEqual([
    { file: 7, position: 0 },
    { file: 0, position: 2 ** 40 },
    { file: 0, position: 0 },
  ])
  expect(places.placesOf(chunk('b'))).toEqual([{ file: 0, position: 10 }])
  expect(places.placesOf(chunk('c'))).toEqual([])
  expect(places.chunks.size).toBe(2)
})
