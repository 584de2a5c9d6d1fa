/*
 * Strict reading of small values from outside.  Nothing is trimmed or guessed, and what follows a value makes
 * it invalid; the C library's strtol() would take " +5", "5x" and too large numbers.
 */
#ifndef MCV_LIB_PARSE_H
#define MCV_LIB_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

/* Decimal digits, min to max.  s may be NULL.  ERR_OK, ERR_INVALID. */
enum err parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *n_r) MUST_CHECK;

/* The same with a '-' allowed in front. */
enum err parse_i64(const char *s, int64_t min, int64_t max, int64_t *n_r) MUST_CHECK;

/* Whether s is an IPv4 or IPv6 address in text, without brackets or zone. */
bool parse_is_address(const char *s);

/* Whether s can only mean this machine: "localhost", an address of 127.0.0.0/8, or ::1.  A name that begins
 * like one of these is any machine's. */
bool parse_is_loopback(const char *s);

/*
 * Whether s is a host name (RFC 1123 section 2.1): labels of letters, digits and inner hyphens, each 1 to 63
 * bytes, 253 in all; '_' is let through, for it is in use.  No dot at the end.
 */
bool parse_is_hostname(const char *s);

/*
 * Whether s has the shape of an e-mail address that can stand in an SMTP command: one '@' with something on
 * both sides, a host name behind it, no blank, control character or '<' '>'; at most 254 bytes (RFC 5321
 * section 4.5.3.1).  Bytes above 127 are let through in the part before the '@' (RFC 6531).
 */
bool parse_is_email(const char *s);

#endif
