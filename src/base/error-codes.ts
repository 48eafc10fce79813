// Every error code of the house, each with what the reader should do; docs/errors.md is held to this table by a test.

/** code → the advice printed with it. Add the code here and a line to docs/errors.md. */
export const errorCodes = {
  // Documents
  JSON_INVALID: 'Mend the JSON at the place named; the file must be UTF-8 with no repeated keys.',
  JSON_NOT_CANONICAL: 'Write the document as RFC 8785 canonical JSON; any re-formatting breaks its digest.',
  VALUE_NOT_CANONICAL: 'Only null, booleans, finite numbers, well-formed strings, arrays and plain objects can be canonicalised.',
  DOCUMENT_TOO_LARGE: 'The document is larger than any valid one; check that it is the right file.',
  COMMITTEE_INVALID: 'Mend the field of the committee document that is named; every member needs the identical file.',
} as const

export type ErrorCode = keyof typeof errorCodes
