/* The words the two halves of store_outbox share.  For them alone. */
#ifndef MCV_SQL_OUTBOX_SQL_H
#define MCV_SQL_OUTBOX_SQL_H

/* Where the mail for user u about what is account a's goes. */
#define OUTBOX_TO "COALESCE(a.notify_email, u.email)"

/* Where mail n goes: what brings a link is the user's alone, wherever the account's other mail goes. */
#define OUTBOX_TO_OF_N "IF(n.kind = 'invite', u.email, " OUTBOX_TO ")"

/* Whether somebody reads it there: below "invalid" (RFC 2606) there is no mail, it stands for an address
 * nobody gave (store_sso.c). */
#define OUTBOX_IS_REAL OUTBOX_TO " NOT LIKE '%.invalid'"

#endif
