/* An account as administrators see it. */
#ifndef MCV_FCGI_ACCOUNT_VIEW_H
#define MCV_FCGI_ACCOUNT_VIEW_H

#include <stdint.h>
#include <json-c/json.h>

#include "fcgi/visit.h"
#include "sql/store_account.h"

/* "account" of a view model (VIEWMODELS.md); the caller owns it. */
struct json_object *account_view(const struct visit *v, const struct account *x);

/* Note in the audit trail what was done to account id; detail may be NULL. */
void account_note(struct visit *v, const char *action, uint64_t id, const char *detail);

#endif
