#include "lib/err.h"

#include <stddef.h>

static const char *const texts[ERR__MAX] = {
    [ERR_OK] = "ok",
    [ERR_NOT_FOUND] = "not found",
    [ERR_CONFLICT] = "conflict",
    [ERR_STALE] = "changed meanwhile",
    [ERR_INVALID] = "invalid value",
    [ERR_DENIED] = "not permitted",
    [ERR_LIMIT] = "limit of the account reached",
    [ERR_TOO_BIG] = "too big",
    [ERR_BUSY] = "busy",
    [ERR_LOST] = "no longer ours",
    [ERR_UNCERTAIN] = "outcome unknown",
    [ERR_TIMEOUT] = "timed out",
    [ERR_CLOSED] = "connection closed",
    [ERR_UNAVAILABLE] = "unavailable",
    [ERR_PROTOCOL] = "protocol violation",
    [ERR_CRYPTO] = "cryptographic check failed",
    [ERR_FULL] = "storage full",
    [ERR_IO] = "input/output error",
    [ERR_INTERNAL] = "internal error",
};

const char *err_text(enum err e)
{
	if ((int)e < 0 || e >= ERR__MAX || texts[e] == NULL)
		return "unknown error";
	return texts[e];
}
