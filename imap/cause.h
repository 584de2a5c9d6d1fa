/*
 * Why something between us and an IMAP server failed, told apart as finely as a person can act on it.  An
 * enum err says what the caller's code must do; the cause says what the person must be told.
 */
#ifndef MCV_IMAP_CAUSE_H
#define MCV_IMAP_CAUSE_H

#include <stddef.h>

#include "lib/err.h"

enum imap_cause {
	IMAP_OK = 0, /* nothing failed */

	/* before a connection exists */
	IMAP_NAME_NOT_FOUND,  /* DNS says there is no such host */
	IMAP_NAME_NO_ANSWER,  /* DNS itself did not answer (in time): may pass */
	IMAP_ADDRESS_DENIED,  /* every address of the name is refused by the caller's filter */
	IMAP_CONNECT_REFUSED, /* nothing listens on that port */
	IMAP_UNREACHABLE,     /* no route, or a firewall said so */
	IMAP_TIMED_OUT,       /* connecting, or waiting for an answer, took longer than allowed */

	/* TLS */
	IMAP_NOT_TLS,            /* TLS was asked for, the port answers in plain text */
	IMAP_IS_TLS,             /* plain text was asked for, the port speaks TLS from the start */
	IMAP_TLS_FAILED,         /* the handshake failed otherwise (no common version or cipher, cut off) */
	IMAP_CERT_UNTRUSTED,     /* issued by nobody we trust */
	IMAP_CERT_SELF_SIGNED,   /* signed by itself */
	IMAP_CERT_WRONG_HOST,    /* for another host name */
	IMAP_CERT_EXPIRED,       /* it or one above it has expired */
	IMAP_CERT_NOT_YET_VALID, /* its validity has not begun: often a wrong clock */
	IMAP_STARTTLS_MISSING,   /* the server does not offer (or refused) STARTTLS */
	IMAP_STARTTLS_INJECTION, /* plain text followed the answer to STARTTLS: somebody is in the middle */
	IMAP_CA_FILE_BAD,        /* our own CA file cannot be read: the administrator's to mend */

	/* login */
	IMAP_LOGIN_DISABLED,    /* no way to log in with a password is offered on this connection */
	IMAP_PASSWORD_REFUSED,  /* user or password wrong, or that user may not log in */
	IMAP_TOKEN_REFUSED,     /* the same of an OAuth 2 access token, which may have expired */
	IMAP_MECHANISM_MISSING, /* the way to log in that was asked for is not offered */
	IMAP_SERVER_UNPROVEN,   /* SCRAM: the server does not know the password it should check */
	IMAP_BUSY, /* RFC 5530 UNAVAILABLE, INUSE, LIMIT, CONTACTADMIN, SERVERBUG; BYE greeting */

	/* commands */
	IMAP_NO_SUCH_FOLDER,  /* TRYCREATE, NONEXISTENT */
	IMAP_NO_SUCH_MESSAGE, /* expunged meanwhile: no data came for the UID asked for */
	IMAP_EXISTS_ALREADY,  /* ALREADYEXISTS */
	IMAP_NO_PERMISSION,   /* NOPERM */
	IMAP_QUOTA_EXCEEDED,  /* OVERQUOTA */
	IMAP_MESSAGE_TOO_BIG, /* TOOBIG, LIMIT on APPEND, or over the announced APPENDLIMIT */
	IMAP_COMMAND_REFUSED, /* NO for any other reason: the text says which */

	/* the other side misbehaves */
	IMAP_NOT_IMAP,       /* something else answers there */
	IMAP_CLOSED,         /* the server hung up, with or without BYE */
	IMAP_PROTOCOL_ERROR, /* BAD, or bytes RFC 9051 does not allow */
	IMAP_LIMIT_EXCEEDED, /* more of something than our documented bounds (line, depth, folders) */

	/* ourselves */
	IMAP_VALUE_INVALID, /* a value given holds CR, LF or NUL, or is too long to send */
	IMAP_INTERNAL,      /* a system call failed, or a bug */
	IMAP_CAUSE__MAX
};

/* Text of a server is kept as it came: control characters and invalid UTF-8 included, cut at this. */
#define IMAP_TEXT_MAX 512

/* What went wrong.  All zero means nothing did. */
struct imap_failure {
	enum err err;
	enum imap_cause cause;
	char code[32];            /* RFC 5530 response code in upper case ("OVERQUOTA"), or "" */
	size_t text_len;          /* bytes in text, < IMAP_TEXT_MAX */
	char text[IMAP_TEXT_MAX]; /* RAW: what the server said, or our own words; NUL added */
	int from_server;          /* whether text is the server's: escape before showing */
};

/* A stable lower-case word for machines ("cert_wrong_host"), never NULL; the same word is never reused. */
const char *imap_cause_code(enum imap_cause c);

/* One neutral English sentence ("The certificate is for another host name."), never NULL. */
const char *imap_cause_text(enum imap_cause c);

/* The enum err that belongs to the cause. */
enum err imap_cause_err(enum imap_cause c) MUST_CHECK;

/*
 * Fill f (may be NULL) and return imap_cause_err(c).  _server copies the first IMAP_TEXT_MAX - 1 raw bytes
 * of what the server said; _fail formats our own words (never a secret).
 */
enum err imap_fail(struct imap_failure *f, enum imap_cause c, const char *fmt, ...) PRINTF_LIKE(3, 4);
enum err imap_fail_server(struct imap_failure *f, enum imap_cause c, const char *text, size_t len);

#endif
