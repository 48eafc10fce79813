// Every error code of the house, each with what the reader should do; docs/errors.md is held to this table by a test.

/** code → the advice printed with it. Add the code here and a line to docs/errors.md. */
export const errorCodes = {
  // Documents
  JSON_INVALID: 'Mend the JSON at the place named; the file must be UTF-8 with no repeated keys.',
  JSON_NOT_CANONICAL: 'Write the document as RFC 8785 canonical JSON; any re-formatting breaks its digest.',
  VALUE_NOT_CANONICAL:
    'Only null, booleans, finite numbers, well-formed strings, arrays and plain objects can be canonicalised.',
  DOCUMENT_TOO_LARGE: 'The document is larger than any valid one; check that it is the right file.',
  COMMITTEE_INVALID: 'Mend the field of the committee document that is named; every member needs the identical file.',
  COMMITTEE_TOO_FEW_MEMBERS: 'Add members or lower f: a committee that survives f faulty members has at least 3f + 1.',
  COMMITTEE_REPEATED_KEY:
    'Give each member, feed, field and bundle a name, key and address of its own, and each feed one bundle.',
  COMMITTEE_TIMING: 'Raise or lower the timer that is named until it satisfies the rule in the message.',
  COMMITTEE_TOO_LARGE: 'Declare fewer feeds, shorter strings or fewer members, or split the feeds over two committees.',
  REPORT_INVALID: 'Use the report as it was served; a field is missing, unknown or malformed.',
  REPORT_FOREIGN: 'Check which committee and generation you trust; this report belongs to another one.',
  REPORT_DERIVED: 'Use the report as it was served; a field does not follow from the signed ones.',
  REPORT_ROOTS: 'Use the report as it was served; its leaves do not belong to one report.',
  REPORT_QUORUM: 'Ask another member: the report has fewer signatures than the committee requires.',
  REPORT_SIGNATURE:
    'Treat the report as forged or damaged: a signature is not that of the member named over these values.',
  REPORT_STALE: 'Fetch a newer report, and check the clock of this machine.',
  REPORT_STATUS: 'Decide whether this status may be used, and accept it by name; it is not OK.',
  // Configuration
  COMMITTEE_UNREADABLE: 'Check the path and the rights of the committee document that config.json names.',
  CONFIG_UNREADABLE: 'Name a folder made by `assay init`, and check its rights.',
  CONFIG_INVALID: 'Mend the field of config.json that is named; schemas/node-config.json lists all of them.',
  // Network
  NETWORK_ENDPOINT_INVALID: 'Write the endpoint of the member that is named as host:port, or [IPv6]:port.',
  NETWORK_KEY_INVALID: 'Use the Ed25519 peer key (PKCS#8 PEM) whose public half the committee document names.',
  NETWORK_LISTEN_FAILED: 'Free the address and port that are named, or configure others, and start again.',
} as const

export type ErrorCode = keyof typeof errorCodes
