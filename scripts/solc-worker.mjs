// One thread of scripts/compile-solidity.mjs: npm's solc, loaded once, answers requests and says which files it read.

import { parentPort, workerData } from 'node:worker_threads'
import solc from 'solc'

parentPort.on('message', (request) => {
  const imported = []
  const read = (name) => {
    const contents = workerData[name]
    if (contents === undefined) return { error: 'File not found.' }
    imported.push(name)
    return { contents }
  }
  const text = solc.compile(request, { import: read })
  parentPort.postMessage({ text, imported: imported.sort() })
})
