/*
 * Who asks.  Every store function that the web calls on a customer's rows takes one and scopes its SQL by it:
 * an admin reaches every account's rows, a member those of one account.  What the viewer may not see is
 * ERR_NOT_FOUND, exactly as what does not exist.  New rows belong to the viewer's account.
 */
#ifndef MCV_SQL_VIEWER_H
#define MCV_SQL_VIEWER_H

#include <stdbool.h>
#include <stdint.h>

enum role { ROLE_MEMBER, ROLE_ADMIN };

struct viewer {
	uint64_t user_id; /* 0: the installation itself (command line) */
	uint64_t account_id;
	enum role role;
};

static inline bool viewer_is_admin(const struct viewer *v)
{
	return v->role == ROLE_ADMIN;
}

/* "member", "admin". */
const char *role_name(enum role r);

#endif
