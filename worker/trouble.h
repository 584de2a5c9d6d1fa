/*
 * Why a server could not be used, read from the line a run ends with then.  Pure.  The server has its say
 * within the line, so what is read here is never more than a reason on a page.
 */
#ifndef MCV_WORKER_TROUBLE_H
#define MCV_WORKER_TROUBLE_H

#include <stddef.h>

/* Why one side could not be used; the first that was said counts. */
enum trouble {
	TROUBLE_NONE,
	TROUBLE_LOGIN_REFUSED, /* "Error login on", and no response code that says otherwise */
	TROUBLE_LOGIN_BUSY,    /* the same with [UNAVAILABLE], [INUSE], [LIMIT], [CONTACTADMIN] (RFC 5530) */
	TROUBLE_TOKEN_REFUSED, /* the same as the first with "auth [XOAUTH2]" or "auth [OAUTHBEARER]" */
	TROUBLE_MECHANISM,     /* it does not offer the way to log in that was asked for */
	TROUBLE_NO_PASSWORDS,  /* it takes no password on a connection like this one */
	TROUBLE_UNPROVEN,      /* SCRAM: it does not know the password itself */
	TROUBLE_NAME_UNKNOWN,  /* the host name does not resolve */
	TROUBLE_REFUSED,       /* connection refused */
	TROUBLE_TIMED_OUT,     /* no answer in time, or no IMAP greeting */
	TROUBLE_UNREACHABLE,   /* no route to the host or network */
	TROUBLE_NOT_TLS,       /* TLS was spoken to something that does not speak it */
	TROUBLE_UNTRUSTED,     /* the certificate does not verify */
	TROUBLE_WRONG_NAME,    /* it does, but is for another name */
	TROUBLE_EXPIRED,       /* it did, but has expired */
	TROUBLE_NO_STARTTLS,   /* STARTTLS is not offered */
	TROUBLE_TLS,           /* any other failure of STARTTLS */
	TROUBLE_CONNECT,       /* any other failure to connect */
	TROUBLE__MAX
};

/* line: what follows "HostN failure: ", not NUL-terminated; TROUBLE_NONE for any other failure. */
enum trouble trouble_read(const char *line, size_t len);

#endif
