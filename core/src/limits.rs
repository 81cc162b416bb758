//! Every bound of the system, with its reason and what happens at it (INV-7).
//!
//! Those that an operator may change are defaults here and keys in the configuration.

/// Unicode scalar values in a message's text (R7). Beyond: refused with 0x97, the connection stays.
pub const TEXT_CHARS_MAX: usize = 100_000;

/// Bytes of an MQTT packet before login: a CONNECT with a will and a token fits well. Beyond: the connection closes.
pub const PACKET_BYTES_MAX_BEFORE_LOGIN: usize = 64 * 1024;

/// Bytes of an MQTT packet after login: 100,000 characters escaped as `\uXXXX\uXXXX` take 1.2 MB. Beyond: 0x95 and
/// the connection closes, because the rest of the packet cannot be skipped cheaply.
pub const PACKET_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Seconds from accept to CONNECT, TLS and upgrade included. Beyond: closed without a word.
pub const CONNECT_DEADLINE_S: u32 = 10;

/// Bytes of a client id (PROTOCOL "Names"). Beyond: CONNACK 0x85, in 3.1.1 code 2.
pub const CLIENT_ID_BYTES_MAX: usize = 128;

/// Characters of a handle without its `@`.
pub const HANDLE_CHARS_MIN: usize = 3;
/// Characters of a handle without its `@`.
pub const HANDLE_CHARS_MAX: usize = 32;

/// Bytes of an idempotency key (PROTOCOL "Never twice"). Beyond: refused with 0x99.
pub const KEY_BYTES_MAX: usize = 64;

/// How long a key or the origin of a stock publish is remembered, in milliseconds.
pub const KEY_WINDOW_MS: u64 = 24 * 60 * 60 * 1000;

/// Keys remembered for each sender of a conversation; more than may be in flight, and what bounds a checkpoint.
/// Beyond: the oldest is forgotten, even inside the window.
pub const KEYS_PER_SENDER_MAX: usize = 256;

/// Members of a channel unless configured higher (R2). Beyond: 409.
pub const CHANNEL_MEMBERS_MAX: usize = 100;

/// Members above which a channel has no index entries (DESIGN §5).
pub const FAN_OUT_THRESHOLD: usize = 500;

/// Publishes of one connection that are read but not acknowledged. At the bound the connection is not read until
/// one settles; a 5.0 client is told by Receive Maximum (MQTT-3.3.4-9).
pub const INBOUND_IN_FLIGHT_MAX: u16 = 256;

/// Bytes of topics and payloads of one connection's publishes that are read but not acknowledged. Beyond: the connection is not read until
/// one settles; one alone may exceed it, so that the largest still passes.
pub const INBOUND_IN_FLIGHT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Packet ids of QoS 2 publishes that a client has not released; they are kept in the session's mark. Beyond: 0x93 and the
/// connection closes. More than INBOUND_IN_FLIGHT_MAX, because 3.1.1 clients know no Receive Maximum.
pub const UNRELEASED_MAX: usize = 4096;

/// Deliveries of one session that are sent but not acknowledged; 3.1.1 has no Receive Maximum, a 5.0 client's own
/// counts where it is smaller. At the bound further conversations fall behind and are read from the store.
pub const OUTBOUND_IN_FLIGHT_MAX: u16 = 1024;

/// Bytes waiting to be written to one connection. Beyond: its conversations fall behind (never the connection of
/// anyone else); one event may exceed it, so that the largest still passes.
pub const OUTBOUND_BUFFER_BYTES_MAX: usize = 256 * 1024;

/// Seconds in which a connection with unwritten bytes must take some. Beyond: closed, it catches up on return.
pub const WRITE_DEADLINE_S: u32 = 30;

/// Seconds in which a publish must settle. Beyond: its connection closes without acknowledging.
pub const SETTLE_DEADLINE_S: u32 = 10;

/// Conversations listed in each list of a mark (D10). `ahead` beyond it forgets, `behind` beyond it makes the
/// session not current.
pub const MARK_LIST_MAX: usize = 256;

/// Seconds between two writes of one session's mark while it acknowledges.
pub const MARK_INTERVAL_S: u32 = 5;

/// Filters of one session. Beyond: SUBACK 0x97.
pub const SUBSCRIPTIONS_PER_SESSION_MAX: usize = 1024;

/// Filters of one SUBSCRIBE or UNSUBSCRIBE. Beyond: the connection closes with 0x97, for the answer could not be kept small.
pub const FILTERS_PER_PACKET_MAX: usize = 1024;

/// Live sessions of one user. Beyond: CONNACK 0x97.
pub const SESSIONS_PER_USER_MAX: usize = 64;

/// Longest session expiry in seconds: 1 year. A longer wish is cut and CONNACK says so.
pub const SESSION_EXPIRY_S_MAX: u32 = 366 * 24 * 60 * 60;

/// Keep-alive that the server applies where a client asks for none (PROTOCOL "Connecting").
pub const KEEP_ALIVE_S_MAX: u16 = 3600;

/// Milliseconds of one index window: 10 minutes (DESIGN §5).
pub const INDEX_WINDOW_MS: u64 = 10 * 60 * 1000;

/// Events after which a conversation writes a checkpoint; the most that waking it reads.
pub const CHECKPOINT_EVENTS: u64 = 256;

/// Seconds without a submission after which a conversation falls asleep and frees its memory.
pub const CONVERSATION_IDLE_S: u32 = 60;

/// Submissions that wait for one sleeping conversation. Beyond: answered as unavailable.
pub const WAITING_PER_CONVERSATION_MAX: usize = 4096;

/// Bytes of submissions that wait for the committer. Beyond: answered as unavailable.
pub const COMMIT_QUEUE_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Events of one page of history, and of one read while catching up.
pub const PAGE_EVENTS_MAX: usize = 200;

/// Bytes of event bodies in one read while catching up; a page always holds at least one event.
pub const PAGE_BYTES_MAX: usize = 512 * 1024;

/// Bytes of an HTTP request's body: as much as a packet, so that what can be published can be posted. Beyond: 413.
pub const HTTP_BODY_BYTES_MAX: usize = PACKET_BYTES_MAX;

/// HTTP connections of a node. Beyond: they wait in the kernel until one ends. Heads have [`CONNECT_DEADLINE_S`], idle connections too.
pub const HTTP_CONNECTIONS_MAX: usize = 4096;

/// Seconds from an HTTP request's head to its answer, its body included. Beyond: 503, and whether it took effect is not known.
pub const HTTP_DEADLINE_S: u64 = 30;

/// Characters of a channel's name. Beyond: 400.
pub const CHANNEL_NAME_CHARS_MAX: usize = 200;

/// Entries of one page of conversations or of a sync. A higher wish is refused.
pub const PAGE_ENTRIES_MAX: usize = 200;

/// Index rows that one sync looks at. At the bound it answers with what it found and a cursor to go on from.
pub const SYNC_ROWS_MAX: usize = 2_000;

/// Characters of a user's display name, none of them a control character. Beyond, or empty: 400.
pub const NAME_CHARS_MAX: usize = 200;

/// Characters of a device's name, none of them a control character. Beyond, or empty: 400.
pub const DEVICE_NAME_CHARS_MAX: usize = 100;

/// Characters of a password (NIST SP 800-63B §5.1.1.2 asks for at least 8). Fewer: 400.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Characters of a password; what is longer is not hashed. Beyond: 400, at log-in the same answer as for a wrong one.
pub const PASSWORD_CHARS_MAX: usize = 256;

/// Devices of one user: several times the sessions that may be live. Every log-in makes one, so the oldest without a device token makes room, and
/// is revoked; where all hold device tokens: 409.
pub const DEVICES_PER_USER_MAX: usize = 256;

/// Wrong passwords for one handle, existing or not, that are answered at once. Beyond: 429 without looking at the password, until
/// [`LOG_IN_FAILURE_FORGOTTEN_S`] went by. Tokens are not concerned, so nobody can lock out who is logged in.
pub const LOG_IN_FAILURES_MAX: u32 = 10;
/// Seconds after which one wrong password is forgotten: with [`LOG_IN_FAILURES_MAX`], 2,890 guesses a day.
pub const LOG_IN_FAILURE_FORGOTTEN_S: u64 = 30;
/// Handles whose failures are remembered, in about 100 bytes each. Beyond: those longest untouched are forgotten; to push one out costs as many
/// hashes as there are places, which takes longer than waiting.
pub const LOG_IN_HANDLES_MAX: usize = 65_536;

/// Log-ins and sign-ups that wait for their password to be hashed: with two at once and 25 ms each, under a second. Beyond: 503.
pub const PASSWORDS_WAITING_MAX: usize = 64;

/// Bytes of an access token or a device token; ours are below 300. Beyond: refused without looking at it.
pub const TOKEN_BYTES_MAX: usize = 1024;

/// Days that a key signs access tokens before a new one takes its place; it goes on verifying until the last of them has ended.
pub const SIGNING_KEY_DAYS: u64 = 30;

/// Revocations read in one look at the log.
pub const REVOCATIONS_PAGE_MAX: usize = 1_000;
/// Looks at the log in one reading. Beyond: the rest comes with the next reading, a second later, and until then nothing cached of tokens counts.
pub const REVOCATIONS_PAGES_MAX: usize = 50;

/// Milliseconds since the log of revocations was last read, after which what is cached of tokens counts for nothing and the store is asked (INV-5).
pub const REVOCATIONS_STALE_MS: u64 = 2_000;

/// Milliseconds of ids that a command reserves at once, 4,096 in each, and so the furthest that one runs ahead of its clock.
pub const COMMAND_RANGE_MS_MAX: u64 = 1_000;

/// Bytes of one line of an import. Beyond: the import stops there.
pub const IMPORT_LINE_BYTES_MAX: usize = 64 * 1024;
