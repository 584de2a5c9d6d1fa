/*
 * Commands and their answers: what the session's files (session.c, login.c, folder.c, fetch.c, append.c)
 * share. Sending is apart from reading, so that commands can be pipelined.
 */
#ifndef MCV_IMAP_COMMAND_H
#define MCV_IMAP_COMMAND_H

#include "imap/response.h"
#include "imap/session.h"
#include "lib/buf.h"
#include "lib/redact.h"

enum append_state { APPEND_NONE, APPEND_OPEN };

/* Bodies asked for by one command whose tagged answer has not come. */
struct imap_pending {
	unsigned tag;
	unsigned count;
	unsigned left;                  /* of them not handed out yet */
	uint32_t uids[IMAP_BODIES_MAX]; /* 0: handed out */
};

/* An APPEND sent whose tagged answer has not come. */
struct imap_sent {
	unsigned tag;
	unsigned id;
};

/* A folder's listing under way: the tags of its SELECT and its FETCH, and what was asked for. */
struct imap_listing {
	unsigned select_tag;
	unsigned fetch_tag;
	unsigned items;
};

struct imap_session {
	struct imap_stream *stream;
	struct imap_reader reader;
	struct imap_failure failure;
	bool alive;
	bool authenticated;
	struct redact *secrets; /* during the login: what no text of the server may give away; else NULL */
	enum imap_mechanism mechanism; /* of the login */
	bool enabled_utf8;             /* UTF8=ACCEPT */
	bool enabled_rev2;             /* IMAP4rev2 */
	bool selected;
	struct imap_mailbox mailbox;
	struct buf capabilities;   /* upper case, one space between and around: " IMAP4REV1 IDLE " */
	unsigned capability_lists; /* how many lists the server has told */
	struct buf bye;            /* text of the last BYE */
	enum imap_cause bye_cause;
	unsigned last_tag;
	int64_t quickest_ms; /* answer to a command run alone */
	uint64_t
	    uncounted; /* bytes of the present answer that were asked for, so that no bound counts them */
	struct imap_pending pipeline[IMAP_PIPELINE_MAX];
	unsigned pipeline_count;
	struct imap_pending unanswered; /* answered without some of its bodies, for this reason: */
	struct imap_failure unanswered_why;
	uint32_t fetching;       /* whose body is being handed out */
	struct imap_row details; /* what was told with it before it */
	struct buf details_flags;
	struct buf details_date;
	enum append_state append;
	uint64_t append_left;
	unsigned append_tag;
	unsigned append_id;
	bool append_utf8; /* the literal stands within parentheses */
	struct imap_sent sent[IMAP_APPENDS_MAX];
	unsigned sent_count;
	struct buf appended; /* the UID set of the last answer */
	struct imap_listing listings[IMAP_LISTINGS_MAX];
	unsigned listing_count;
	unsigned selecting; /* the tag of a SELECT whose answer has not been read, 0 for none */
};

/* A command being built; strings that need a literal cut it where the server must first agree. */
#define IMAP_CUTS_MAX 8
#define IMAP_COMMAND_MAX 16384 /* bytes in one command line, literals not counted */
struct imap_command {
	struct buf bytes;
	unsigned tag;
	bool secret; /* trace shows the verb only */
	bool invalid;
	bool no_sync; /* LITERAL+ */
	bool later;   /* may be kept back until more is sent */
	size_t cuts[IMAP_CUTS_MAX];
	unsigned cut_count;
};

/* "A7 VERB"; verb may hold fixed arguments.  Must be ended by imap_command_free(), which wipes it. */
void imap_command_init(struct imap_command *c, struct imap_session *s, const char *verb);
void imap_command_free(struct imap_command *c);
#define AUTO_COMMAND __attribute__((cleanup(imap_command_free)))

void imap_command_add(struct imap_command *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A space and the bytes as quoted string or literal.  CR, LF, NUL make the command unsendable. */
void imap_command_string(struct imap_command *c, const char *bytes, size_t len);

/* A space and a folder's name, RAW as session.h has it, as this server wants it (enable.c). */
void imap_command_folder(struct imap_command *c, const struct imap_session *s, const char *name);

/*
 * Send it (the CR LF is added here, except where an APPEND's literal follows: no_end).  ERR_INVALID before
 * anything is sent for what imap_command_string() refused.  A NO while a literal is waited for is a failure
 * as of imap_command_wait().
 */
enum err imap_command_send(struct imap_session *s, struct imap_command *c, bool no_end) MUST_CHECK;

/* What a command does with the untagged responses that come before its answer; members may be NULL. */
struct imap_handler {
	/* a failure is remembered and returned after the answer was read */
	enum err (*untagged)(void *ctx, const struct imap_response *resp);
	void (*ok)(void *ctx, const struct imap_response *resp);
	const struct imap_literal_hook *hook;
	void *ctx;
	/* NULL, or what grows with every row asked for: IMAP_ANSWER_MAX counts anew from each */
	const uint64_t *taken;
};

/* Bytes the server may send until a command's answer, lest a flood be read for ever. */
#define IMAP_ANSWER_MAX (16 * 1024 * 1024)

/* Read up to the answer of tag.  h may be NULL. */
enum err imap_command_wait(struct imap_session *s, unsigned tag, const struct imap_handler *h) MUST_CHECK;

/* Send and wait. */
enum err imap_command_run(
    struct imap_session *s, struct imap_command *c, const struct imap_handler *h) MUST_CHECK;

/* Read up to the server's "+"; the answer of tag instead is a failure. */
enum err imap_command_continue(struct imap_session *s, unsigned tag) MUST_CHECK;

/* Send len raw bytes that belong to a command, and flush. */
enum err imap_command_bytes(struct imap_session *s, const void *bytes, size_t len) MUST_CHECK;

/* Read one response and let the session see it.  Failures as imap_read_response(), the session dead. */
enum err imap_command_response(
    struct imap_session *s, const struct imap_literal_hook *hook, struct imap_response *resp) MUST_CHECK;

/* quiet_r: nothing has come that could be read without waiting.  Failures as imap_stream_fill(), then dead.
 */
enum err imap_session_peek(struct imap_session *s, bool *quiet_r) MUST_CHECK;

/* The server broke the protocol: the session is dead. */
enum err imap_session_broken(struct imap_session *s, const char *why) MUST_CHECK;

/* Whether the session has read more than IMAP_ANSWER_MAX unasked bytes since it had received since; then
 * dead. */
enum err imap_session_flood(struct imap_session *s, uint64_t since) MUST_CHECK;

/* Read the answers of pipelined fetches whose bodies were handed out (body.c). */
enum err imap_pipeline_drain(struct imap_session *s) MUST_CHECK;

bool imap_is_tag(const char *text, unsigned tag);

/* The element list of "* n FETCH (...)", or NULL; and the UID among the items read so far, or 0 (fetch.c). */
const struct imap_node *imap_fetch_items(const struct imap_response *resp);
uint32_t imap_fetch_uid(const struct imap_node *items);

/* FLAGS and INTERNALDATE among the items read so far into s->details (fetch.c). */
void imap_fetch_details(struct imap_session *s, const struct imap_response *resp);

/* Fill s->failure and return its err: by cause and own words; or as the server's status says. */
enum err imap_session_fail(struct imap_session *s, enum imap_cause c, const char *why);
enum err imap_session_refused(struct imap_session *s, const struct imap_response *resp) MUST_CHECK;

/* What the server says, the login's secrets masked: before it is cut, or a part of one would go unrecognised.
 */
void imap_session_mask(const struct imap_session *s, const char *text, size_t len, struct buf *out);

/* ERR_OK when alive with nothing pending, clearing the last failure; else the failure that forbids commands.
 */
enum err imap_session_ready(struct imap_session *s) MUST_CHECK;

/* The ok handler of SELECT (folder.c), and what a server means that says no more than NO. */
void imap_on_selected(void *ctx, const struct imap_response *resp);
enum err imap_explain_missing(struct imap_session *s, enum err e) MUST_CHECK;

/* Tells the ranges of ESEARCH's ALL within first..last; false where it is malformed (esearch.c). */
bool imap_esearch_all(
    const struct imap_response *resp, uint32_t first, uint32_t last, imap_range_fn fn, void *ctx);

/* The untagged handler of STATUS (folder.c). */
struct imap_status_query {
	struct imap_status *status;
	bool told;
};
enum err imap_on_status(void *ctx, const struct imap_response *resp) MUST_CHECK;

/* What STATUS is asked for to see whether a folder has changed (folder.c). */
const char *imap_count_items(const struct imap_session *s);

/*
 * After the login: UTF8=ACCEPT (RFC 6855) and IMAP4rev2 (RFC 9051), as far as offered (enable.c).  What it is
 * for stands in session.h.
 */
enum err imap_enable(struct imap_session *s) MUST_CHECK;

/* Whether the server speaks IMAP4rev2 to us: enabled, or because it speaks nothing else (session.c). */
bool imap_session_is_rev2(const struct imap_session *s);

/* A name the server told, as session.h has it: itself, or in a; NULL where it can not be said so. */
const char *imap_name_taken(const struct imap_session *s, struct arena *a, const char *name);

/* Whether the word stands in the server's list, whatever that includes. */
bool imap_session_lists(const struct imap_session *s, const char *word);

/* CAPABILITY, for session.c and login.c. */
enum err imap_ask_capabilities(struct imap_session *s) MUST_CHECK;
void imap_set_capabilities(struct imap_session *s, const char *words);

/* PERMANENTFLAGS or FLAGS into m (session.c). */
void imap_set_flags(struct imap_mailbox *m, const char *words);

/* Whether the len bytes are a flag by the grammar of RFC 9051. */
bool imap_flag_valid(const char *word, size_t len);

/* A space and "(flags)" without \Recent; a word that is no flag makes the command unsendable (append.c). */
void imap_command_flags(struct imap_command *c, const char *flags);

/* What every untagged response may change in the session. */
void imap_session_untagged(struct imap_session *s, const struct imap_response *resp);

#endif
