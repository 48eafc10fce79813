// Which engine a process of Node runs with.

import { OracleError } from '../base/errors.js'
import { createNativeEngine } from './engine-native.js'
import { createWasmEngine, type SigningEngine } from './engine-wasm.js'

/** The engine asked for, and which it is; 'auto' takes native code where it is installed. Throws ENGINE_ABSENT. */
export async function chooseEngine(
  wanted: 'auto' | 'wasm' | 'native',
): Promise<{ readonly engine: SigningEngine; readonly kind: 'native' | 'wasm' }> {
  const wasm = await createWasmEngine()
  const native = wanted === 'wasm' ? null : createNativeEngine(wasm)
  if (native !== null) return { engine: native, kind: 'native' }
  if (wanted === 'native')
    throw new OracleError('ENGINE_ABSENT', 'no native secp256k1 on this machine', { path: '/engine' })
  return { engine: wasm, kind: 'wasm' }
}
