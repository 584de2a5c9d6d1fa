/*
 * What job, import and batch share: where the panel is, the token, one question after the other below
 * /api/v1, and what an answer means for the exit code.  The panel judges everything as it does for its pages;
 * here is no rule of its own.
 *
 * The address is --api, else the second line of the token's file, else base_url.  The token is the first line
 * of --token-file, else of ~/.config/mailconvoy/token; others may not be able to read that file.
 */
#ifndef MCV_CTL_API_H
#define MCV_CTL_API_H

#include <json-c/json.h>
#include <stdbool.h>

#include "ctl/ctl.h"
#include "ctl/http.h"
#include "ctl/words.h"
#include "lib/buf.h"

/* What may stand behind every verb that asks the panel. */
struct api_words {
	const char *url, *token_file, *ca_file;
	const char *account; /* whom an installation's token acts for: a name, or "id:" and its issuer's name
				for it */
	bool json;
};
#define API_WORDS(w) \
	{.name = "--api", .text = &(w)->url}, {.name = "--token-file", .text = &(w)->token_file}, \
	    {.name = "--ca-file", .text = &(w)->ca_file}, {.name = "--account", .text = &(w)->account}, \
	{ \
		.name = "--json", .flag = &(w)->json \
	}
#define API_USAGE "every verb: --api URL, --token-file FILE, --ca-file FILE, --account NAME, --json"

struct api;

/* Ready to ask; nothing was asked yet.  CTL_OK, or the exit code after the reason has been printed. */
enum ctl_exit api_open(struct ctl *ctl, const struct api_words *w, struct api **api_r) MUST_CHECK;
/* Sets to NULL; *api may be NULL. */
void api_close(struct api **api);

/*
 * Ask, and wait where the panel says that it is asked too often.  path begins with "/jobs", or is an address
 * of a page as a model has it ("/migration/jobs…").  *model_r, if not NULL: the answer, the caller's; NULL
 * where it is empty.  CTL_OK, or the exit code after the reason has been printed with name (what it is about;
 * may be NULL) before it.
 */
enum ctl_exit api_get(
    struct api *api, const char *name, const char *path, struct json_object **model_r) MUST_CHECK;

/*
 * The same with a form, which may hold passwords (api_field()), and a key (may be NULL) under which the panel
 * does it once however often it is sent: it is then sent again when the connection breaks.
 */
enum ctl_exit api_post(struct api *api, const char *name, const char *path, const struct buf *form,
    const char *key, struct json_object **model_r) MUST_CHECK;

/* With a file as multipart/form-data, and values beside it: a name and a value each, NULL at the end. */
enum ctl_exit api_upload(struct api *api, const char *path, const struct buf *file, const char *const *values,
    struct json_object **model_r) MUST_CHECK;

enum ctl_exit api_delete(struct api *api, const char *name, const char *path) MUST_CHECK;

/* Its bytes to standard output, as they are. */
enum ctl_exit api_copy(struct api *api, const char *name, const char *path) MUST_CHECK;

/* Add name=value, encoded; nothing when value is NULL.  The buffer must not have to grow with a password in
 * it: reserve first. */
void api_field(struct buf *form, const char *name, const char *value);

/* path, with '?' or '&' and name=value behind it; path itself when value is NULL.  In the ctl's arena. */
const char *api_query(struct api *api, const char *path, const char *name, const char *value);

/*
 * What is made belongs to somebody: complain when an installation's token does not say to whom (--account).
 */
enum ctl_exit api_demand_account(struct api *api) MUST_CHECK;

/* A fresh key of this program's own, in the ctl's arena. */
const char *api_new_key(struct ctl *ctl);

#endif
