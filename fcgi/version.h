/*
 * Two people change the same thing: the second must not undo unseen what the first did.
 *
 * What can be changed has a version (sql/version.h).  A page carries it in a hidden field; as JSON its ETag
 * is VERSION-BODY, where BODY is a hash of the answer's bytes.  A change may come with "If-Match" (RFC 9110
 * section 13.1.1), of which the version is what counts, so that a count that moved meanwhile stops nobody;
 * "*" and no condition at all change whatever is there.
 */
#ifndef MCV_FCGI_VERSION_H
#define MCV_FCGI_VERSION_H

#include <json-c/json.h>

#include "fcgi/form.h"
#include "fcgi/visit.h"
#include "sql/version.h"
#include "lib/err.h"

enum { VERSION_MAX_BYTES = 64 };

/* The form's row for the hidden field. */
#define VERSION_FIELD \
	{ \
		.name = "version", .kind = FORM_TEXT, .max_bytes = VERSION_MAX_BYTES \
	}

/*
 * The versions that the request's change is for, blanks between, as the stores take them; NULL: any.  From
 * If-Match, else from the field; what is neither a list of our ETags nor "*" fits no version.
 */
const char *version_wanted(const struct visit *v);

/* What a form shown (again) carries: the version it was opened with, or, where is_stale, the one there is
 * now.
 */
void version_add(const struct visit *v, struct json_object *model, const char *version, bool is_stale);

/* Let the JSON that this request answers with have an ETag.  version must live as long as the request. */
void version_tell(struct visit *v, const char *version);

/* For page_json(): adds the ETag to the answer whose body is ready; true: the client has it already (304). */
bool version_finish(struct visit *v);

/* What a refused form says in a page. */
extern const char version_stale_text[];

/* Answer a script with 412; nothing was changed. */
void version_refuse(struct visit *v);

#endif
