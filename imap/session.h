/*
 * One connection to an IMAP server (RFC 9051, RFC 3501 servers included): greeting, TLS, login, and the
 * commands a migration needs.  Blocking calls; commands that are worth pipelining come as a send and a read.
 *
 * Failure: every function that returns an enum err leaves cause, response code and text in
 * imap_session_failure(s).  When imap_session_alive(s) is false afterwards (timeout, closed, broken protocol,
 * abandoned APPEND) only imap_session_close() is of use; otherwise the server said NO and the session goes
 * on.
 *
 * Waiting: each wait for the server ends after silence_ms without a byte moving, and in any case at deadline.
 *
 * Data: names, flags and dates are bytes as the server sent them.  Folder names are RAW: modified UTF-7 as a
 * rule (imap/mutf7.h decodes), given back to the server exactly as they came.  With a server that speaks
 * UTF-8 (see below) they are turned into modified UTF-7 here and back again.  Every value given that holds
 * CR, LF or NUL is refused with ERR_INVALID / IMAP_VALUE_INVALID before anything is sent.
 */
#ifndef MCV_IMAP_SESSION_H
#define MCV_IMAP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "imap/cause.h"
#include "imap/stream.h"
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/err.h"

struct imap_session;

/* ---- life cycle ---- */

struct imap_options {
	struct imap_endpoint endpoint;
	int64_t connect_ms; /* for name, TCP, TLS, greeting, STARTTLS together; > 0 */
	int64_t silence_ms; /* longest wait without progress afterwards; > 0 */
	mono_time deadline; /* for everything; {0} for none */
	/*
	 * Wire trace, or NULL: each line of a command or response without its CR LF, literals as their size
	 * only, passwords as "***".  Bytes are RAW.
	 */
	void (*trace)(void *ctx, bool from_server, const char *line, size_t len);
	void *trace_ctx;
};

/*
 * Connect, read the greeting, upgrade by STARTTLS where asked, learn the capabilities.  A PREAUTH greeting is
 * accepted (login is then skipped) except where STARTTLS was asked for.  *s_r is NULL on failure; f (may be
 * NULL) and peer (may be NULL) tell as imap_stream_open() does, plus IMAP_NOT_IMAP, IMAP_BUSY (BYE greeting),
 * IMAP_IS_TLS, IMAP_STARTTLS_MISSING, IMAP_STARTTLS_INJECTION, IMAP_CLOSED.
 */
enum err imap_session_open(const struct imap_options *o, struct imap_session **s_r, struct imap_failure *f,
    struct imap_peer *peer) MUST_CHECK;

/* Drop the connection without LOGOUT and set *s to NULL; *s may be NULL. */
void imap_session_close(struct imap_session **s);

/* LOGOUT, wait for the answer (bounded by silence_ms), close, *s = NULL.  Failures do not matter. */
void imap_session_logout(struct imap_session **s);

bool imap_session_alive(const struct imap_session *s);
const struct imap_failure *imap_session_failure(const struct imap_session *s);

/* The connection below: for imap_stream_fd() and peer.  The session keeps owning it. */
struct imap_stream *imap_session_stream(struct imap_session *s);

/*
 * Whether the server's latest capability list has word ("UIDPLUS", "AUTH=PLAIN"), ASCII case ignored, or its
 * version of the protocol includes it.
 */
bool imap_session_can(const struct imap_session *s, const char *word);

/* The list itself, words separated by single spaces, upper-cased, valid until the next command. */
const char *imap_session_capabilities(const struct imap_session *s);

/* Whether folder names travel in UTF-8. */
bool imap_session_utf8(const struct imap_session *s);

/* Largest message APPEND takes (RFC 7889 APPENDLIMIT=n), 0 when the server names none. */
uint64_t imap_session_append_limit(const struct imap_session *s);

/* ---- login ---- */

/*
 * Behind the login UTF8=ACCEPT (RFC 6855) and IMAP4rev2 (RFC 9051) are enabled where offered.  A message with
 * UTF-8 in its header is then handed out as it is, where a server else makes a copy of it for those who
 * cannot read that (RFC 6857, 6858), and taken as it is (imap_append_begin_utf8()); all other messages are
 * the same bytes either way.  Folder names travel in UTF-8.  Of IMAP4rev2 beyond that nothing is used that
 * its server does not also offer by name, but where it is the only version spoken.
 */

enum imap_mechanism {
	IMAP_AUTH_AUTOMATIC,
	IMAP_AUTH_LOGIN, /* the command, not the SASL mechanism of that name */
	IMAP_AUTH_PLAIN,
	IMAP_AUTH_SCRAM_SHA_256, /* RFC 7677: the password does not travel, the server proves it knows it */
	IMAP_AUTH_XOAUTH2,
	IMAP_AUTH_OAUTHBEARER, /* RFC 7628 */
};

struct imap_credentials {
	enum imap_mechanism mechanism;
	const char *user;      /* whose mailbox */
	const char *auth_user; /* who logs in for that (a master user), with his password; NULL for user */
	const char *secret;    /* any bytes but CR, LF, NUL */
	size_t secret_len;
	bool token;       /* secret is an OAuth 2 access token, which tells itself who logs in */
	const char *host; /* as connected to, for OAUTHBEARER, with port; NULL where not known */
	unsigned port;
};

/*
 * Exactly one attempt, never a second mechanism after a refusal.  SASL-IR (RFC 4959) where offered.  Copies
 * of the secret are wiped.
 *
 * Automatic: with a token OAUTHBEARER where it is offered, else XOAUTH2.  With a password PLAIN where it is
 * offered, else LOGIN; on a connection without TLS SCRAM-SHA-256 before both, so that the password does not
 * travel in the clear to a server that can do without.  Over TLS it is chosen only where nothing else is
 * left: servers offer it whose password store cannot do it, and the refusal would be the end.  LOGIN has no
 * place for auth_user.
 *
 * IMAP_MECHANISM_MISSING (not offered, nothing was sent), IMAP_LOGIN_DISABLED, IMAP_PASSWORD_REFUSED,
 * IMAP_TOKEN_REFUSED (the text holds what an OAuth server says), IMAP_SERVER_UNPROVEN (SCRAM: it does not
 * know the password; the session is dead), IMAP_BUSY, IMAP_CLOSED …
 */
enum err imap_authenticate(struct imap_session *s, const struct imap_credentials *c) MUST_CHECK;

/* The same with user and password alone, automatic. */
enum err imap_login(
    struct imap_session *s, const char *user, const char *password, size_t password_len) MUST_CHECK;

/* The mechanism by its name as a server offers it ("PLAIN"); "" for automatic. */
const char *imap_mechanism_name(enum imap_mechanism m);

/* By its name, ASCII case ignored.  ERR_OK, ERR_INVALID. */
enum err imap_mechanism_named(const char *name, enum imap_mechanism *m_r) MUST_CHECK;

/* Which one the last login took or, refused, tried; automatic before. */
enum imap_mechanism imap_session_mechanism(const struct imap_session *s);

/*
 * COMPRESS=DEFLATE (RFC 4978), both ways from here on; after the login, so that no secret of ours is ever
 * compressed together with what others wrote.  Any failure but of the connection leaves everything as it was:
 * IMAP_COMMAND_REFUSED where it is not offered.
 */
enum err imap_compress(struct imap_session *s) MUST_CHECK;

/* The quickest answer to a command so far: a little more than a round trip.  INT64_MAX before the first. */
int64_t imap_round_trip_ms(const struct imap_session *s);

/* RFC 2971 ID with one field, when offered; some servers want it before LIST.  Refusal is ERR_OK. */
enum err imap_id(struct imap_session *s, const char *name, const char *version) MUST_CHECK;

/* ---- folders ---- */

enum imap_folder_flag {
	IMAP_FOLDER_NOSELECT = 1 << 0, /* \Noselect or \NonExistent: holds no messages */
	IMAP_FOLDER_NOINFERIORS = 1 << 1,
	IMAP_FOLDER_SUBSCRIBED = 1 << 2,
	/* RFC 6154 special use */
	IMAP_FOLDER_ALL = 1 << 3,
	IMAP_FOLDER_ARCHIVE = 1 << 4,
	IMAP_FOLDER_DRAFTS = 1 << 5,
	IMAP_FOLDER_FLAGGED = 1 << 6,
	IMAP_FOLDER_JUNK = 1 << 7,
	IMAP_FOLDER_SENT = 1 << 8,
	IMAP_FOLDER_TRASH = 1 << 9,
	IMAP_FOLDER_IMPORTANT = 1 << 10,
};

struct imap_status {
	uint32_t messages, uidnext, uidvalidity, unseen;
	uint64_t modseq;     /* HIGHESTMODSEQ, where asked for and told; else 0 */
	uint64_t size_bytes; /* RFC 8438 STATUS=SIZE; 0 with size_known false otherwise */
	bool size_known;
};

struct imap_folder {
	const char *name;                 /* RAW, NUL-terminated; "INBOX" always in this spelling */
	char delimiter;                   /* 0 for none (NIL) */
	unsigned flags;                   /* enum imap_folder_flag */
	const struct imap_status *status; /* of imap_list_counted(), where the server told; else NULL */
};

struct imap_folder_list {
	struct imap_folder *folders; /* in the server's order, each name once */
	size_t count;
	size_t unusable; /* names holding CR, LF or NUL, left out */
};
#define IMAP_FOLDERS_MAX 100000

struct imap_namespace {
	bool known;         /* the server has NAMESPACE and answered */
	const char *prefix; /* of the first personal namespace, RAW, "" for none */
	char delimiter;     /* 0 for none */
};

struct imap_mailbox {
	uint32_t exists;
	uint32_t expunged;    /* EXPUNGE told since it was selected: sequence numbers have moved */
	uint32_t uidvalidity; /* 0 when the server names none: UIDs cannot be trusted */
	uint32_t uidnext;     /* 0 when not told */
	uint64_t modseq;      /* HIGHESTMODSEQ (RFC 7162) when it was selected; 0 without CONDSTORE */
	bool read_only;
	bool any_keyword;     /* PERMANENTFLAGS holds \* */
	char permanent[1024]; /* PERMANENTFLAGS or, lacking it, FLAGS; space separated, cut at a flag */
};

struct imap_quota {
	bool known; /* a STORAGE resource was told */
	uint64_t used_bytes;
	uint64_t limit_bytes;
};

/* RFC 2342.  Prefix in a.  known = false and ERR_OK where the server lacks it. */
enum err imap_namespace(struct imap_session *s, struct arena *a, struct imap_namespace *ns_r) MUST_CHECK;

/*
 * All folders of the user: LIST "" "*" with RETURN (SUBSCRIBED SPECIAL-USE) where offered (RFC 5258, 6154),
 * else LIST and LSUB.  List and names in a.  IMAP_LIMIT_EXCEEDED (ERR_TOO_BIG) past IMAP_FOLDERS_MAX.
 */
enum err imap_list(struct imap_session *s, struct arena *a, struct imap_folder_list *list_r) MUST_CHECK;

/*
 * The same, with what STATUS would tell of each folder where the server can tell both at once (RFC 5819):
 * messages, uidnext, uidvalidity and, where it can (CONDSTORE), modseq, in a.  Without LIST-STATUS as
 * imap_list().
 */
enum err imap_list_counted(
    struct imap_session *s, struct arena *a, struct imap_folder_list *list_r) MUST_CHECK;

/* STATUS; the folder need not be selected (and should not be).  IMAP_NO_SUCH_FOLDER (ERR_NOT_FOUND). */
enum err imap_status(struct imap_session *s, const char *folder, struct imap_status *st_r) MUST_CHECK;

/* SELECT, or EXAMINE when read_only.  IMAP_NO_SUCH_FOLDER. */
enum err imap_select(
    struct imap_session *s, const char *folder, bool read_only, struct imap_mailbox *m_r) MUST_CHECK;

/*
 * The same in two steps.  Between them bodies of that folder may be asked for already
 * (imap_fetch_bodies_send()), to be read after wait returned ERR_OK; after another result they are only to be
 * dropped.
 */
enum err imap_select_send(struct imap_session *s, const char *folder, bool read_only) MUST_CHECK;
enum err imap_select_wait(struct imap_session *s, struct imap_mailbox *m_r) MUST_CHECK;

/* The selected mailbox as unsolicited EXISTS, EXPUNGE and FLAGS have changed it since; NULL if none is. */
const struct imap_mailbox *imap_selected(const struct imap_session *s);

/* CREATE: IMAP_EXISTS_ALREADY (ERR_CONFLICT; also a plain NO when the text says so is left to the caller). */
enum err imap_create(struct imap_session *s, const char *folder) MUST_CHECK;
enum err imap_subscribe(struct imap_session *s, const char *folder) MUST_CHECK;

/*
 * The same for count folders, sent ahead of the answers (imap/ahead.c); results_r has one for each.
 * IMAP_STATUS: messages, uidnext and uidvalidity alone, into statuses_r, which else may be NULL;
 * IMAP_STATUS_MODSEQ: modseq, too, where the server can.  ERR_OK, or what ended the session: then results_r
 * is ERR_CLOSED where no answer came.
 */
enum imap_folder_verb { IMAP_CREATE, IMAP_SUBSCRIBE, IMAP_STATUS, IMAP_STATUS_MODSEQ };
enum err imap_folders_run(struct imap_session *s, enum imap_folder_verb verb, const char *const *folders,
    unsigned count, enum err *results_r, struct imap_status *statuses_r) MUST_CHECK;

/* GETQUOTAROOT (RFC 9208); known = false and ERR_OK where the server lacks QUOTA or tells no storage. */
enum err imap_quota(struct imap_session *s, const char *folder, struct imap_quota *q_r) MUST_CHECK;

enum err imap_noop(struct imap_session *s) MUST_CHECK;

/* ---- reading messages (imap/fetch.c) ---- */

/* UIDs first..last, both included; last 0 is "*" (everything from first on). */
struct imap_range {
	uint32_t first;
	uint32_t last;
};
#define IMAP_RANGES_MAX 500

enum imap_fetch_item {
	IMAP_FETCH_SIZE = 1 << 0,
	IMAP_FETCH_FLAGS = 1 << 1,
	IMAP_FETCH_DATE = 1 << 2,
	IMAP_FETCH_SAVED = 1 << 4,  /* SAVEDATE (RFC 8514): only where the server can */
	IMAP_FETCH_HEADER = 1 << 3, /* BODY.PEEK[HEADER], or the fields named */
};

/* One message.  Everything is valid during the callback only. */
struct imap_row {
	uint32_t uid;
	uint32_t number; /* its sequence number in the answer */
	uint64_t size;
	const char *flags;  /* space separated as sent, without parentheses: "\Seen $Label1" */
	const char *date;   /* INTERNALDATE as sent: "17-Jul-1996 02:44:25 -0700" */
	const char *saved;  /* SAVEDATE, written the same: when it came into this folder */
	const char *header; /* raw, CR LF lines, with the empty line at the end if the server sent it */
	size_t header_len;
	bool header_cut; /* longer than IMAP_HEADER_MAX: header holds the first IMAP_HEADER_MAX bytes */
};
#define IMAP_HEADER_MAX (1024 * 1024)

/* ERR_OK to go on.  Anything else ends the fetch with that error: the rest is read and dropped. */
typedef enum err (*imap_row_fn)(void *ctx, const struct imap_row *row);

/*
 * UID FETCH of metadata.  fields: space separated header names for BODY.PEEK[HEADER.FIELDS (...)], or NULL
 * for the whole header.  A row is delivered when one response held the UID, within the ranges asked for, and
 * every item asked for; all else (unsolicited flag changes, other UIDs) is ignored.  A server may tell a UID
 * twice: then the row comes twice.  *rows_r counts rows delivered, also on failure.
 */
enum err imap_fetch_rows(struct imap_session *s, const struct imap_range *ranges, size_t count,
    unsigned items, const char *fields, imap_row_fn fn, void *ctx, uint64_t *rows_r) MUST_CHECK;

/*
 * The same of those that were changed since the mod-sequence (RFC 7162): only where imap_session_can()
 * "CONDSTORE", in a folder that told one; else ERR_INTERNAL.
 */
enum err imap_fetch_changed(struct imap_session *s, const struct imap_range *range, uint64_t modseq,
    unsigned items, imap_row_fn fn, void *ctx) MUST_CHECK;

/*
 * Which UIDs of first..last there are (RFC 4731 ESEARCH): only where imap_session_can() it, else
 * ERR_INTERNAL.  fn is told ranges within first..last.  A range of IMAP_SEARCH_WIDTH at most: the answer is
 * one word.
 */
#define IMAP_SEARCH_WIDTH 4000
typedef void (*imap_range_fn)(void *ctx, uint32_t first, uint32_t last);
enum err imap_search_uids(
    struct imap_session *s, uint32_t first, uint32_t last, imap_range_fn fn, void *ctx) MUST_CHECK;

/*
 * Whole folders listed, several under way: SELECT (read_only: EXAMINE) and UID FETCH of all, in one go.  take
 * reads the answers to the first asked for: m_r as imap_select() has it, then rows as above.  A failure to
 * select is told as imap_select() does.  At most IMAP_LISTINGS_MAX; no other command before all were taken.
 */
#define IMAP_LISTINGS_MAX 16
enum err imap_listing_ask(struct imap_session *s, const char *folder, bool read_only, unsigned items,
    const char *fields) MUST_CHECK;
enum err imap_listing_take(
    struct imap_session *s, struct imap_mailbox *m_r, imap_row_fn fn, void *ctx) MUST_CHECK;

/*
 * Where a message goes.  begin announces its exact size, then piece is called until size bytes came.
 * Everything is TENTATIVE until imap_fetch_body_read() returns ERR_OK: a server may name the UID after the
 * body, and only then is it known whose it was.  So finish an APPEND only after ERR_OK.  A callback's failure
 * ends the fetch with that error; the session stays alive if the rest could be read and dropped.
 */
struct imap_sink {
	enum err (*begin)(void *ctx, uint64_t size);
	enum err (*piece)(void *ctx, const char *bytes, size_t len);
	void *ctx;
};

/*
 * UID FETCH uid BODY.PEEK[].  Never sets \Seen.  Only the body whose UID is uid makes it succeed, and begin
 * is called at most once.  IMAP_NO_SUCH_MESSAGE (ERR_NOT_FOUND) when no body came for it, IMAP_PROTOCOL_ERROR
 * when the body delivered turned out to be another's.  May be cut off by the peer: IMAP_CLOSED, with begin
 * and pieces already called.
 */
enum err imap_fetch_body(struct imap_session *s, uint32_t uid, const struct imap_sink *sink) MUST_CHECK;

/*
 * Several bodies under way at once.  bodies_send asks for count of them in one command, uids ascending, at
 * most IMAP_BODIES_MAX (at most IMAP_PIPELINE_MAX commands not yet answered); body_send for one.  next reads
 * until one of them is complete, or known not to come, and says which in *uid_r.  They come in the server's
 * order, which need not be that of the sends (a server may also hold back its answers to several until it
 * sent them all).  What one call of next hands to sink is tentative as above until it returns ERR_OK; one
 * call calls begin at most once, and imap_fetching() tells the UID inside the callbacks (0: the server has
 * not said yet).  Failures of next: as imap_fetch_body(), for *uid_r if that is not 0; where a command for
 * several was refused, each body it left out fails as the command did, which need not be its own fault.
 * ERR_INTERNAL when none is under way.  No other command before each body sent for was returned by next, or
 * drop has read and dropped what is still to come.
 */
#define IMAP_PIPELINE_MAX 64
#define IMAP_BODIES_MAX 100
enum err imap_fetch_body_send(struct imap_session *s, uint32_t uid) MUST_CHECK;
enum err imap_fetch_bodies_send(
    struct imap_session *s, const uint32_t *uids, unsigned count, bool details) MUST_CHECK;
enum err imap_fetch_body_next(
    struct imap_session *s, const struct imap_sink *sink, uint32_t *uid_r) MUST_CHECK;
enum err imap_fetch_bodies_drop(struct imap_session *s) MUST_CHECK;
uint32_t imap_fetching(const struct imap_session *s);

/*
 * With details: flags and date the server told before the body being handed out, NULL each where it did not.
 * Valid during the callback.
 */
const struct imap_row *imap_fetching_details(const struct imap_session *s);

/* ---- writing messages (imap/append.c) ---- */

struct imap_appended {
	uint32_t uidvalidity; /* 0, 0 where the server has no UIDPLUS */
	uint32_t uid;
};

/*
 * APPEND in steps.  begin sends the command and, without LITERAL+, waits until the server asks for the
 * message: so a refusal (IMAP_NO_SUCH_FOLDER, IMAP_QUOTA_EXCEEDED, IMAP_MESSAGE_TOO_BIG, IMAP_NO_PERMISSION)
 * may come here or from finish.  Then exactly size bytes by write, in pieces, then finish.  Nothing is stored
 * before finish; abort (or closing) drops the connection, so a part of a message is never stored.  A failure
 * of write leaves the session dead.  ERR_UNCERTAIN from finish: everything was sent, the answer did not come:
 * the message may or may not be there.
 * flags: space separated, "" for none; \Recent is dropped; a word that is no flag is ERR_INVALID.
 * date: INTERNALDATE as imap_row has it, or NULL for now; ERR_INVALID if it is not a date-time of RFC 9051.
 */
enum err imap_append_begin(struct imap_session *s, const char *folder, const char *flags, const char *date,
    uint64_t size) MUST_CHECK;
enum err imap_append_write(struct imap_session *s, const char *bytes, size_t len) MUST_CHECK;
enum err imap_append_finish(struct imap_session *s, struct imap_appended *a_r) MUST_CHECK;
void imap_append_abort(struct imap_session *s);

/*
 * As imap_append_begin(), as data of UTF8 (RFC 6855, 4): for a message with UTF-8 in its header that was
 * refused otherwise; only where imap_append_takes_utf8().  The rest is the same.
 */
bool imap_append_takes_utf8(const struct imap_session *s);
enum err imap_append_begin_utf8(struct imap_session *s, const char *folder, const char *flags,
    const char *date, uint64_t size) MUST_CHECK;

/*
 * Several messages, and several commands, under way at once.  message begins one: as one more of the APPEND
 * that is open (RFC 3502; only where imap_append_groups()), else in a new one, which may begin before earlier
 * ones are answered only where imap_append_ahead(), and at most IMAP_APPENDS_MAX of them.  Then its bytes by
 * imap_append_write(), then the next message, or end.  A group is stored whole when its answer is OK, else
 * not at all.  id: the caller's name for the command, that of its last message counts.  Failures of message:
 * as imap_append_begin(); IMAP_VALUE_INVALID and a size over the announced limit leave an open command open,
 * after any other the command is over: refused, or the session dead.
 *
 * answer: the next APPEND answered, not necessarily in the order sent; without wait, answered may be false,
 * with it false only where none is under way.  err and imap_session_failure() tell a refusal.  uids: the set
 * of RFC 4315, "" without UIDPLUS, valid until the next call; imap_uid_at() takes one out of it, 0 where it
 * has none.  After a failure of answer, message or write that leaves the session dead, every message of
 * commands not answered may or may not be there.
 */
#define IMAP_APPENDS_MAX 64
struct imap_append_answer {
	bool answered;
	unsigned id;
	enum err err;
	uint32_t uidvalidity;
	const char *uids;
};
bool imap_append_ahead(const struct imap_session *s);
bool imap_append_groups(const struct imap_session *s);
enum err imap_append_message(struct imap_session *s, const char *folder, unsigned id, const char *flags,
    const char *date, uint64_t size) MUST_CHECK;
enum err imap_append_end(struct imap_session *s) MUST_CHECK;
enum err imap_append_answer(struct imap_session *s, bool wait, struct imap_append_answer *a_r) MUST_CHECK;
uint32_t imap_uid_at(const char *set, unsigned index);

enum imap_store_mode { IMAP_STORE_SET, IMAP_STORE_ADD, IMAP_STORE_REMOVE };

/* UID STORE … FLAGS.SILENT on the selected mailbox.  A UID that is gone is ERR_OK (RFC 9051 6.4.9). */
enum err imap_store(
    struct imap_session *s, uint32_t uid, enum imap_store_mode mode, const char *flags) MUST_CHECK;

/*
 * Those of flags that m keeps: system flags and keywords of PERMANENTFLAGS (any keyword when it holds \*),
 * never \Recent, nothing that is not a flag by the grammar, each once; added to out, space separated.
 */
void imap_flags_keepable(const char *flags, const struct imap_mailbox *m, struct buf *out);

#endif
