// Which engine a process of Node runs with.

import { OracleError } from '../base/errors.js'
import { createNativeEngine } from './engine-native.js'
import type { SigningEngine } from './engine-wasm.js'

/** The engine asked for, and which it is; 'auto' takes native code where it is installed. Throws ENGINE_ABSENT. */
export function chooseEngine(
  wasm: SigningEngine,
  wanted: 'auto' | 'wasm' | 'native',
): { readonly engine: SigningEngine; readonly kind: 'native' | 'wasm' } {
  const native = wanted === 'wasm' ? null : createNativeEngine(wasm)
  if (native !== null) return { engine: native, kind: 'native' }
  if (wanted === 'native')
    throw new OracleError('ENGINE_ABSENT', 'no native secp256k1 on this machine', { path: '/engine' })
  return { engine: wasm, kind: 'wasm' }
}
