/*
 * The one vocabulary of failure.  Functions return an enum err and hand results back through pointers whose
 * names end in _r, which are set only when ERR_OK is returned, unless their header says otherwise.
 */
#ifndef MCV_LIB_ERR_H
#define MCV_LIB_ERR_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))

enum err {
	ERR_OK = 0,
	ERR_NOT_FOUND, /* no such thing, or not the viewer's to see: callers must not tell these apart */
	ERR_CONFLICT,  /* its present state forbids this (edit of a running job, a name already taken) */
	ERR_STALE,     /* it is not what the caller saw any more */
	ERR_INVALID,   /* the value given is malformed or out of range */
	ERR_DENIED,    /* known who asks, and they may not */
	ERR_LIMIT,     /* what an administrator allows the account is used up */
	ERR_TOO_BIG,   /* over a documented limit */
	ERR_BUSY,      /* nothing is wrong, try again later (lock wait, no free slot) */
	ERR_LOST,      /* the caller owned this (lease, claim) and does no longer */
	ERR_UNCERTAIN, /* the request may or may not have taken effect: re-read before doing anything else */
	ERR_TIMEOUT,   /* a deadline passed */
	ERR_CLOSED,    /* the other side closed the connection, or is gone */
	ERR_UNAVAILABLE, /* a service we need (database, server) cannot be reached */
	ERR_PROTOCOL,    /* the other side broke the protocol */
	ERR_CRYPTO,      /* a seal, key, certificate or signature is not what it must be */
	ERR_FULL,        /* storage is full */
	ERR_IO,          /* a system call failed: errno says why */
	ERR_INTERNAL,    /* a bug in mailconvoy */
	ERR__MAX
};

/* A short English text for e ("not found"), never NULL; static storage. */
const char *err_text(enum err e);

#endif
