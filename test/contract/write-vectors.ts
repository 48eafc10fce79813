// Writes the golden vectors anew: run it from the project's root after a build, and read the difference before keeping it.

import { mkdirSync, writeFileSync } from 'node:fs'
import { createWasmEngine } from '../../src/crypto/engine-wasm.js'
import { makeVectors } from './make-vectors.js'

const engine = await createWasmEngine()
mkdirSync('test/vectors', { recursive: true })
for (const [file, text] of Object.entries(makeVectors(engine, engine))) writeFileSync(`test/vectors/${file}`, text)
