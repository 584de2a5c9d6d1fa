/* A user as administrators see one. */
#ifndef MCV_FCGI_USER_VIEW_H
#define MCV_FCGI_USER_VIEW_H

#include <json-c/json.h>

#include "fcgi/visit.h"
#include "sql/store_user.h"

/* "user" of a view model (VIEWMODELS.md); the caller owns it. */
struct json_object *user_view(const struct visit *v, const struct user *u);

/* "Administrator", "Member". */
const char *user_role_text(enum role role);

#endif
