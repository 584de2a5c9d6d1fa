/*
 * One-time links by which users choose their passwords, as administrators give them: shown, this once, or
 * sent by mail.  The forms have the field "send_mail" for that.
 */
#ifndef MCV_FCGI_USER_LINK_H
#define MCV_FCGI_USER_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "fcgi/form.h"
#include "fcgi/visit.h"
#include "lib/err.h"
#include "sql/store_user.h"

/* Whether this installation sends mail, and would send this user a link (NULL: to anybody). */
bool user_link_is_mailable(const struct visit *v, const struct user *u);

/* Refuse the form that asks for a mail where none would be sent; on the field named if it is for the address.
 * Of u its address, disabled_at and account_suspended_at are looked at. */
void user_link_check(const struct visit *v, struct form *f, const struct user *u, const char *field);

/*
 * A new link for the user: shown (status), or a mail written that brings it (status, and 303 in a browser),
 * as the checked form says.  A user who was mailed too many within an hour is refused by a 429.  Errors of
 * store_user_link_create() and store_invite_add().
 */
enum err user_link_give(
    struct visit *v, const struct form *f, const struct user *u, unsigned status) MUST_CHECK;

/* What became of the user's last mail with a link, as a sentence; NULL: there was none. */
enum err user_link_tell(struct visit *v, uint64_t user_id, const char **text_r) MUST_CHECK;

#endif
