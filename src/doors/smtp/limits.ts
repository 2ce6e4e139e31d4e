// How much the SMTP door takes, from one sender and from all of them.

const MIB = 1024 * 1024
const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS

/** One mail, as it stands on the wire. */
export const MAIL_LIMIT = 25 * MIB
/** RFC 5321 §4.5.3.1.8: at least 100 must be taken. */
export const MAX_RECIPIENTS = 100
export const MAX_CONNECTIONS = 200
/** By the exact address: the hosts of a large sender share an IPv6 /64, so a prefix would be too coarse. */
export const MAX_CONNECTIONS_PER_ADDRESS = 20
/** A command is 512 octets with 512 more an extension (RFC 5321 §4.5.3.1.4); nothing that we offer needs more. */
export const MAX_COMMAND_BYTES = 4_096

/** Unknown recipients of one connection that are answered at once; each further one waits. */
export const UNKNOWN_AT_ONCE = 5
export const UNKNOWN_WAIT_MS = SECOND_MS
/** Whoever asks for one more is guessing addresses: 421. */
export const MAX_UNKNOWN = 20

/**
 * From our answer to the whole of the next command, however slowly it comes. RFC 5321 §4.5.3.2.7 suggests five
 * minutes; places are few, and a sender that kept its connection open for later expects a 421 (§3.8).
 */
export const COMMAND_MS = MINUTE_MS
/** No byte at all, in the middle of a mail. */
export const SILENCE_MS = MINUTE_MS
/** From DATA to its answer: 25 MB at 350 kbit/s. */
export const DATA_MS = 10 * MINUTE_MS

/** RFC 5321 §6.3 asks for a large number; no honest way is that long. */
export const MAX_RECEIVED = 50

/** Mail past its final dot is finished when we stop, within this time. */
export const FINISH_MS = 1_500
/** Those who were told 421 then have this long to leave. */
export const LEAVE_MS = 100
