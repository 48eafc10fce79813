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
  COMMITTEE_UNREADABLE: 'Check the path and the rights of the committee document that is named.',
  CONFIG_UNREADABLE: 'Name a folder made by `assay init`, and check its rights.',
  CONFIG_INVALID: 'Mend the field of config.json that is named; schemas/node-config.json lists all of them.',
  FOLDER_UNFIT: 'Name a new or empty folder to make, or one that `assay init` made to use.',
  SYSTEM_REFUSED:
    'See what the operating system says: rights, a missing file, a full disk, or too few open files (ulimit -n 1024).',
  PROGRAM_UNLOADABLE: 'Allow more open files (ulimit -n 1024); if there are enough, install the program anew.',
  ENGINE_ABSENT: 'Install the optional package secp256k1, or set "engine" to "auto" in config.json.',
  REPORT_UNREADABLE: 'Check the path and the rights of the report.',
  REPORT_UNKNOWN:
    'Name a slot that has a report, or none for the latest; ask another member for one that this one lacks.',
  // Sources
  SOURCE_UNREACHABLE: 'Wait, or see whether the network, DNS and the source work; other sources serve meanwhile.',
  SOURCE_TIMEOUT: 'Wait; if it lasts, raise nothing but look at the network first: the deadline is the adapter’s.',
  SOURCE_FAILED: 'Wait: the source has a fault of its own (5xx); its last good reading serves until its maxAge.',
  SOURCE_RATE_LIMITED: 'Ask less often, or from fewer processes behind one address; the node waits by itself.',
  SOURCE_UNAUTHORISED: 'Check the key or terms of the source: it refuses this node (401 or 403).',
  SOURCE_REFUSED: 'Check the parameters: the source knows no such thing (other 4xx).',
  SOURCE_MOVED: 'Read the source’s announcements: it redirects to a place that the adapter does not allow.',
  SOURCE_ADDRESS_DENIED:
    'Only public addresses are asked; list a loopback host:port under source.loopback if you run it yourself.',
  SOURCE_TOO_LARGE: 'Look at the body: it is larger than any correct one.',
  SOURCE_TRUNCATED: 'Wait: the body ended before its length; if it lasts, look for a proxy on the way.',
  SOURCE_NOT_JSON: 'Look at the body with `assay adapters run ID --raw FILE`: it is not valid JSON.',
  SOURCE_NOT_XML: 'Look at the body with `assay adapters run ID --raw FILE`: it is not well-formed XML.',
  SOURCE_BLOCKED: 'Look at the body: a page came in place of data, mostly a block or a challenge.',
  SOURCE_DRIFT: 'Compare the body with the source’s documentation: a field is missing or of another type.',
  SOURCE_VALUE_INVALID: 'Look at the body: a number is not finite, of the wrong sign, or contradicts another field.',
  SOURCE_IDENTITY: 'Check the parameters: the answer is about another thing than the one asked for.',
  SOURCE_UNIT_UNKNOWN: 'Read the source’s announcements: it gives a unit that the adapter does not know.',
  SOURCE_ERROR_BODY: 'See the message: the source answered with an error in its body.',
  SOURCE_NO_DATA: 'Check the parameters: the source has no such market, place or event.',
  SOURCE_TRUNCATION_SUSPECT: 'Narrow the query: the answer is exactly as long as a limit, so rows may be missing.',
  SOURCE_STALE: 'Wait for the source’s next value: the one it serves is older than the feed’s maxAge.',
  SOURCE_FUTURE: 'Check the clock of this machine, then the source’s: its time is ahead.',
  SOURCE_BACKWARDS: 'Wait: the source served an older value than before; the newer one serves until its maxAge.',
  // Feeds
  FEED_UNREADABLE: 'Check the path and the rights of the feed declaration, and that it declares a feed.',
  FEED_INVALID: 'Mend the declaration at the line that is named; schemas/feed.json lists all fields.',
  FEED_LINT: 'Mend the declaration as the finding says: `assay feeds lint` lists all of them.',
  FEED_MISMATCH:
    'Use the declarations that the committee agreed on: name, meaning and digest must be those of the document.',
  ADAPTER_UNKNOWN: 'Name an adapter and version that `assay adapters list` shows.',
  RAW_UNREADABLE: 'Check the path and the rights of the file that --raw names.',
  ADAPTER_PARAMS: 'Mend the parameter that is named; schemas/params/ lists all of them.',
  // Replay and demo
  RECORDINGS_UNFIT:
    'Name a folder that holds files venue-base-quote.csv with the header time,open,high,low,close,volume.',
  REPLAY_LIE_INVALID: 'Write venue=+30% or venue=-10%, with a venue whose recordings are served.',
  DEMO_SOURCES_ABSENT:
    'Allow this machine to reach the public APIs, name recordings with --recordings DIR, or npm install vega-datasets@3.2.1.',
  DEMO_FAILED: 'See what the oracles said; `assay start` on the folder that is named repeats it for one of them.',
  // API and client
  API_PARAMETER: 'Mend the parameter that is named; /openapi.json lists all of them.',
  API_REQUEST_UNFIT: 'Send a GET or HEAD without a body, with short headers, at once.',
  API_FEED_UNKNOWN: 'Name a feed that /v1/feeds lists.',
  API_ROUTE_UNKNOWN: 'Ask for a path that /openapi.json lists.',
  API_METHOD_UNKNOWN: 'Use GET or HEAD: the API only reads.',
  API_NO_REPORT: 'Wait for the first report; /readyz says what it waits for.',
  API_BUSY: 'Wait a second and ask again, or ask another member.',
  API_FAILED: 'Ask another member, and see this oracle’s log.',
  API_LISTEN_FAILED: 'Free the address and port that are named, or configure others, and start again.',
  CLIENT_UNREACHABLE: 'Check the URL, the network and whether the oracle runs; or ask another member.',
  CLIENT_REFUSED: 'See the message: the server answered with an error of its own.',
  CLIENT_ANSWER_UNFIT: 'Ask another member: the answer is not what was asked for, or too large or slow.',
  CLIENT_ROLLED_BACK: 'Ask again or ask another member: the server answered with an older report than before.',
  CLIENT_COMMITTEE_FOREIGN: 'Check the salt and the URL: this server belongs to another committee, or lies.',
  CLIENT_FEED_UNKNOWN: 'Name a feed of the committee document that you pinned.',
  // Chains
  CHAIN_NO_QUORUM: 'Wait, or see `said`: too few RPC endpoints agree. Add or mend endpoints; never lower the quorum.',
  CHAIN_SPLIT:
    'Compare the block named at an explorer: RPC endpoints contradict each other and it is not known which lies.',
  CHAIN_SEQUENCER_DOWN: 'Wait: the rollup’s sequencer is down or just back; nothing is sent within its grace period.',
  CHAIN_CONFIG_INVALID: 'Mend the chain’s endpoints, quorum or profile as the message says.',
  // Chains by command
  CHAIN_ID_WRONG: 'Name the endpoints of the chain that is meant, or its profile and id (--chain, --chain-id).',
  CONTRACT_UNFIT: 'Check the address, the chain and the deployment file: the contract that is meant is not there.',
  KEY_UNFUNDED: 'Send the address that is named what it lacks, on this chain, then run the command again.',
  TRANSACTION_REVERTED: 'See the contract’s error in the message; docs/contracts.md says when each is given.',
  TRANSACTION_REFUSED: 'See what the endpoints say to the transaction; nothing of it is in the chain.',
  TRANSACTION_NOT_MINED:
    'Look for the transaction by its hash; the message says what the command does when it is run again.',
  DEPLOYMENT_UNFIT:
    'Name the deployment file of this chain, committee and owner, or another --out for a new deployment.',
  SHADOW_MISMATCH:
    'Find out which of both is wrong before anybody reads it: sources, decimals, unit or pair. A wider bound is --shadow-ppm.',
  SHADOW_ABSENT:
    'Give the feed an independent value (--declarations or --compare) and an attested one (--api), or say why not: --no-shadow REASON.',
  ROTATION_UNFIT:
    'Use the committee document that follows the current generation, with the arguments it was proposed with.',
  // Network
  NETWORK_ENDPOINT_INVALID: 'Write the endpoint of the member that is named as host:port, or [IPv6]:port.',
  NETWORK_KEY_INVALID: 'Use the Ed25519 peer key (PKCS#8 PEM) whose public half the committee document names.',
  NETWORK_LISTEN_FAILED: 'Free the address and port that are named, or configure others, and start again.',
  // Keys
  KEY_FILE_UNREADABLE: 'Check that the key or passphrase file that is named exists and that this user may read it.',
  KEY_FILE_EXISTS: 'Choose another place: key files are never overwritten.',
  KEYSTORE_INVALID: 'Use a keystore v3 JSON file (scrypt or pbkdf2, aes-128-ctr).',
  KEYSTORE_PASSPHRASE_WRONG: 'Give the passphrase of this keystore file.',
  KEYSTORE_PASSPHRASE_MISSING: 'Name a passphrase file that is not empty, or start in a terminal and type it.',
  KEYSTORE_TOO_COSTLY: 'Use a keystore whose key derivation takes at most 512 MiB and a few seconds.',
  KEYSTORE_ADDRESS_MISMATCH: 'Use the keystore of the address that the committee document names for this member.',
  // Keyring
  KEYRING_CLOSED: 'Nothing is signed until the slot record is sound; see why it is not, and free disk space first.',
  KEYRING_STOPPED: 'Find out why signing stopped, then start the node again.',
  KEYRING_BELOW_OPENING:
    'Nothing to do: slots that may have been signed before the start are left to the other members.',
  KEYRING_ABOVE_FLOOR: 'Report this as a bug if it repeats: a signature was asked for before its slot was on disk.',
  KEYRING_SLOT_SIGNED: 'Report this as a bug if it repeats: a second signature was asked for on a slot.',
  KEYRING_TIME_NOT_RISING: 'Check the clock of this machine; it signs again once its time is past the last signed one.',
  // Delivery
  TARGET_INVALID: 'Mend the field of the chain target that is named.',
  COSTS_DAMAGED: 'Nothing to do: the table of costs starts anew. See the disk if it repeats; the old file is kept.',
  COSTS_UNREADABLE:
    'Check the rights and the disk of the file that is named, then start again; costs are only in memory.',
  COSTS_WRITE_FAILED: 'Free space on the disk; the table of costs is written again with the next transaction.',
  // Halts
  KEY_IN_USE_ELSEWHERE:
    'Stop every process with this key, find out how two came to run, and start one; if you know of one only, rotate the key: it was copied.',
  QUORUM_BROKEN: 'Stop and compare with other members: two quorums signed one slot, so more than f members are faulty.',
  TIME_BROKEN:
    'Stop and compare with other members: attested times fell, so more than f members are faulty or lost their records.',
  // Store
  DIRECTORY_IN_USE: 'Stop the other process that uses this directory, or give this one a directory of its own.',
  DIRECTORY_LOCK_LOST: 'Stop both processes that use this directory, find out how two came to run, and start one.',
  DIRECTORY_LOCK_FAILED: 'Check that the directory exists, that this user may write to it, and that its path is short.',
  SLOT_RECORD_EXISTS: 'Keep the record that is there: it says what this key may still sign.',
  SLOT_RECORD_UNREADABLE: 'Check permissions and open files (ulimit -n), then start again; do not remove the file.',
  SLOT_RECORD_WRITE_FAILED:
    'Free space on the disk or replace it; the node signs again once the record can be written.',
  SLOT_RECORD_UNPROVABLE: 'Wait: the node signs again once enough other members have said how far the committee is.',
  SLOT_RECORD_GENERATION: 'Use the committee document of the generation that was in use, or a later one.',
  REPORT_STORE_FULL: 'Free space on the disk; the node signs again by itself.',
  REPORT_STORE_FAILED: 'Check the disk, then start the node again; move the report store away if it fails again.',
  REPORT_STORE_DAMAGED: 'Move the report store away and start the node again: other members still hold the reports.',
  REPORT_STORE_CONTRADICTS: 'Stop and compare with other members: two attested reports claim one slot.',
  // Transactions
  FEE_CAP: 'Raise the fee caps of the chain, or wait: transactions go out when gas costs less.',
  FEE_BUDGET: 'Raise the hourly budget of the key, or wait: it counts what was spent within the last hour.',
  LOW_BALANCE: 'Fund the key that is named; until then other keys and members send.',
  NONCE_TAKEN: 'Find what else sends transactions with this key, and give that a key of its own.',
  JOB_REFUSED: 'See what the nodes say to the transaction: gas limit, size or type; it is not sent again.',
  JOURNAL_UNREADABLE: 'Check the path, the rights and the disk of the journal that is named, then start again.',
  JOURNAL_WRITE_FAILED: 'Free space on the disk; transactions are signed again once the journal can be written.',
  JOURNAL_DAMAGED:
    'See on the chain which transactions of the key are in, wait until none is pending, then move the journal away.',
  JOURNAL_FOREIGN: 'Use the journal of the key and chain that are named, or an empty one.',
} as const

export type ErrorCode = keyof typeof errorCodes
