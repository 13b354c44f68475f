import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { loadNative } from '../../core/load-native.ts'

test.each(['@napi-rs/blake-hash', '@toondepauw/node-zstd'])('gives what %s itself exports', (name) => {
  const direct = loadNative<Record<string, unknown>>(name)
  const usual = createRequire(import.meta.url)(name) as Record<string, unknown>
  for (const [key, value] of Object.entries(usual)) {
    if (typeof value === 'function') expect(typeof direct[key], key).toBe('function')
  }
})

test('throws where there is no such package', () => {
  expect(() => loadNative('@napi-rs/no-such-package')).toThrow(/Cannot find module/)
})
