/*
 * Which messages of the selected folder match criteria, found out by the server (RFC 9051 section 6.4.4), and
 * removing messages by UID (RFC 4315).
 *
 * Criteria may come from a person.  They reach the server only after imap_search_check(): words, parentheses
 * that are balanced, and quoted strings; no literal, no control character, no option of SEARCH itself.  So
 * they are keys of this one SEARCH and nothing else.
 */
#ifndef MCV_IMAP_SEARCH_H
#define MCV_IMAP_SEARCH_H

#include "imap/session.h"

#define IMAP_SEARCH_MAX 1000 /* bytes of criteria */

/* ERR_OK, or ERR_INVALID with *why_r a static English reason ("a quote is not closed"). */
enum err imap_search_check(const char *criteria, const char **why_r) MUST_CHECK;

/*
 * UID SEARCH UID first:last criteria: fn is told UIDs within the range, as ranges, in the server's order,
 * perhaps more than once.  Strings that are not ASCII are sent as UTF-8.  ERR_INVALID / IMAP_VALUE_INVALID
 * for what imap_search_check() refuses, IMAP_COMMAND_REFUSED and IMAP_PROTOCOL_ERROR when the server does not
 * understand.  At most IMAP_SEARCH_SPAN UIDs are to be expected in one range.
 */
#define IMAP_SEARCH_SPAN 5000
enum err imap_search(struct imap_session *s, const struct imap_range *range, const char *criteria,
    imap_range_fn fn, void *ctx) MUST_CHECK;

/*
 * Marks the messages \Deleted and removes these alone (UID EXPUNGE).  At most IMAP_RANGES_MAX UIDs.  Without
 * UIDPLUS nothing is done: a plain EXPUNGE would take what others marked, too: IMAP_COMMAND_REFUSED.
 */
enum err imap_remove(struct imap_session *s, const uint32_t *uids, unsigned count) MUST_CHECK;

#endif
