#include "fcgi/version.h"

#include <string.h>

#include "fcgi/page.h"
#include "fcgi/view.h"
#include "lib/token.h"

enum { BODY_HASH_BYTES = 8 };

const char version_stale_text[] = "Somebody changed this while you had it open, so nothing was saved. What "
				  "you typed is below: save again to "
				  "put it in place of what is stored now.";

/* No version has this. */
#define NONE "-"

/* One entity tag (RFC 9110 section 8.8.3) at s: the version in it goes to out.  Returns what follows; NULL:
 * malformed. */
static const char *take_tag(const char *s, struct buf *out)
{
	bool is_weak = strncmp(s, "W/", 2) == 0;
	const char *end;
	size_t n;

	s += is_weak ? 2 : 0;
	if (*s++ != '"')
		return NULL;
	end = strchr(s, '"');
	if (end == NULL)
		return NULL;
	n = strcspn(s, "-\"");
	/* a weak one never matches; nor does what is not made of a version's letters */
	if (!is_weak && n > 0 && n <= VERSION_MAX_BYTES && strspn(s, "0123456789abcdef") == n)
		buf_addf(out, "%s%.*s", out->len > 0 ? " " : "", (int)n, s);
	return end + 1;
}

static const char *read_list(struct arena *a, const char *s)
{
	AUTO_BUF struct buf out = BUF_INIT;

	s += strspn(s, " \t");
	if (strcmp(s, "*") == 0)
		return NULL;
	while (*s != '\0') {
		s = take_tag(s, &out);
		if (s == NULL)
			return NONE;
		s += strspn(s, " \t,");
	}
	return out.len > 0 ? arena_strndup(a, out.data, out.len) : NONE;
}

const char *version_wanted(const struct visit *v)
{
	const char *header = request_env(v->rq, "HTTP_IF_MATCH"), *field;

	if (header != NULL)
		return read_list(v->arena, header);
	field = params_get(&v->rq->body, "version");
	return field != NULL && field[0] != '\0' ? field : NULL;
}

void version_add(const struct visit *v, struct json_object *model, const char *version, bool is_stale)
{
	const char *opened = params_get(&v->rq->body, "version");

	view_str(model, "version",
	    !is_stale && opened != NULL && strlen(opened) <= VERSION_MAX_BYTES ? opened : version);
	view_bool(model, "is_stale", is_stale);
}

void version_tell(struct visit *v, const char *version)
{
	v->version = version;
}

/* If-None-Match compares weakly: the marks of a list are looked for as they are. */
static bool has_it(const struct visit *v, const char *etag)
{
	const char *s = request_env(v->rq, "HTTP_IF_NONE_MATCH");

	return s != NULL && (strcmp(s, "*") == 0 || strstr(s, etag) != NULL);
}

bool version_finish(struct visit *v)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	char hex[2 * BODY_HASH_BYTES + 1];
	const char *etag;

	if (v->version == NULL)
		return false;
	token_hash(v->rs->body.data, v->rs->body.len, hash);
	token_hex(hash, BODY_HASH_BYTES, hex);
	etag = arena_printf(v->arena, "\"%s-%s\"", v->version, hex);
	response_header(v->rs, "ETag", etag);
	return v->rq->method == METHOD_GET && has_it(v, etag);
}

void version_refuse(struct visit *v)
{
	page_error(
	    v, &(struct page_error){.status = 412,
		   .code = "changed",
		   .title = "It was changed meanwhile",
		   .detail = "It is not what If-Match or the field “version” names. Nothing was changed.",
		   .action = "Read it again, and repeat the change if it is still wanted."});
}
