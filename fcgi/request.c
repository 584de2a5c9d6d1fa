#include "fcgi/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "fcgi/json_read.h"
#include "fcgi/multipart.h"
#include "lib/json_wipe.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/parse.h"
#include "lib/utf8.h"

enum { DRAIN_MAX_BYTES = 4 * 1024 * 1024 };

#define API_PREFIX "/api/v1"

const char *request_env(const struct request *rq, const char *name)
{
	size_t n = strlen(name);
	char **e;

	for (e = rq->env; e != NULL && *e != NULL; e++) {
		if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
			return strlen(*e + n + 1) > REQUEST_HEADER_MAX_BYTES ? "" : *e + n + 1;
	}
	return NULL;
}

static enum err bad(struct request *rq, unsigned status, const char *reason)
{
	/* the first fault found is the one told */
	if (rq->bad_status == 0) {
		rq->bad_status = status;
		rq->bad_reason = reason;
	}
	return ERR_INVALID;
}

static enum err parse_method(struct request *rq)
{
	static const struct {
		const char *name;
		enum method method;
	} known[] = {{"GET", METHOD_GET}, {"HEAD", METHOD_GET}, {"POST", METHOD_POST},
	    {"DELETE", METHOD_DELETE}, {"PUT", METHOD_OTHER}, {"PATCH", METHOD_OTHER},
	    {"OPTIONS", METHOD_OTHER}, {"TRACE", METHOD_OTHER}, {"CONNECT", METHOD_OTHER}};
	const char *m = request_env(rq, "REQUEST_METHOD");
	size_t i;

	rq->method = METHOD_GET;
	for (i = 0; m != NULL && i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(m, known[i].name) == 0) {
			rq->method = known[i].method;
			rq->is_head = strcmp(m, "HEAD") == 0;
			return ERR_OK;
		}
	}
	return bad(rq, 501, "This method is not known here.");
}

static bool has_short_form(const char *path)
{
	static const char *const nouns[] = {"/jobs", "/servers", "/batches", "/bulk", "/import", "/accounts",
	    "/users", "/workers", "/audit", "/tokens", "/log-links", "/sso-links"};
	size_t i;

	for (i = 0; i < sizeof(nouns) / sizeof(nouns[0]); i++) {
		if (strncmp(path, nouns[i], strlen(nouns[i])) == 0)
			return true;
	}
	return false;
}

/* Decodes the path; a segment that is empty, "." or "..", or holds an encoded '/', is refused. */
static enum err parse_path(struct request *rq, const char *s, size_t len)
{
	struct params one = {0};
	AUTO_ARENA struct arena *scratch = arena_new();
	char *plain = arena_alloc(scratch, len * 3 + 3);
	size_t i, n = 0;
	const char *seg;

	if (len == 0 || s[0] != '/')
		return bad(rq, 400, "The address is malformed.");
	/* one decoder for all: as the value of a parameter, with the characters that mean something there
	 * encoded */
	plain[n++] = 'p';
	plain[n++] = '=';
	for (i = 0; i < len; i++) {
		if (s[i] == '%' && i + 2 < len && s[i + 1] == '2' && strchr("fF", s[i + 2]) != NULL)
			return bad(rq, 400, "The address is malformed.");
		if (s[i] == '&' || s[i] == '+') {
			memcpy(plain + n, s[i] == '&' ? "%26" : "%2B", 3);
			n += 3;
		} else {
			plain[n++] = s[i];
		}
	}
	if (params_parse(&one, rq->arena, plain, n) != ERR_OK || one.count != 1)
		return bad(rq, 400, "The address is malformed.");
	rq->path = one.list[0].value;
	for (seg = rq->path; seg != NULL; seg = strchr(seg + 1, '/')) {
		size_t seglen = strcspn(seg + 1, "/");

		if ((seglen == 0 && seg[1] == '/') || (seglen == 1 && seg[1] == '.') ||
		    (seglen == 2 && seg[1] == '.' && seg[2] == '.'))
			return bad(rq, 400, "The address is malformed.");
	}
	if (strncmp(rq->path, API_PREFIX "/", strlen(API_PREFIX) + 1) == 0) {
		rq->is_api = true;
		rq->path += strlen(API_PREFIX);
		/* "/api/v1/jobs" is short for "/api/v1/migration/jobs" */
		if (has_short_form(rq->path))
			rq->path = arena_printf(rq->arena, "/migration%s", rq->path);
	}
	return ERR_OK;
}

static enum err parse_uri(struct request *rq)
{
	const char *uri = request_env(rq, "REQUEST_URI");
	const char *q, *p;
	size_t path_len;
	enum err e;

	if (uri == NULL)
		return bad(rq, 400, "The address is missing.");
	if (strlen(uri) > REQUEST_URI_MAX_BYTES)
		return bad(rq, 414, "The address is too long.");
	for (p = uri; *p != '\0'; p++) {
		if (*p <= 0x20 || *p > 0x7E)
			return bad(rq, 400, "The address holds bytes that must be percent-encoded.");
	}
	/* absolute form, RFC 9112 section 3.2.2 */
	if (uri[0] != '/' && (strncasecmp(uri, "http://", 7) == 0 || strncasecmp(uri, "https://", 8) == 0)) {
		uri = strchr(strchr(uri, ':') + 3, '/');
		if (uri == NULL)
			uri = "/";
	}
	rq->uri = arena_strdup(rq->arena, uri);
	q = strchr(uri, '?');
	path_len = q ? (size_t)(q - uri) : strlen(uri);
	e = parse_path(rq, uri, path_len);
	if (e != ERR_OK || q == NULL)
		return e;
	e = params_parse(&rq->query, rq->arena, q + 1, strlen(q + 1));
	if (e != ERR_OK)
		return bad(rq, 400, "The query of the address is malformed.");
	return ERR_OK;
}

/* Cookies that are not ours may look like anything: what does not fit is skipped, never refused. */
static void parse_cookies(struct request *rq)
{
	const char *s = request_env(rq, "HTTP_COOKIE");

	if (s == NULL || strlen(s) > REQUEST_COOKIES_MAX_BYTES)
		return;
	rq->cookies.list = arena_array(rq->arena, REQUEST_PARAMS_MAX, sizeof(struct param));
	while (*s != '\0' && rq->cookies.count < REQUEST_PARAMS_MAX) {
		const char *end, *eq;

		s += strspn(s, " ;");
		end = s + strcspn(s, ";");
		eq = memchr(s, '=', (size_t)(end - s));
		if (eq != NULL && eq > s) {
			struct param *p = &rq->cookies.list[rq->cookies.count++];

			p->name = arena_strndup(rq->arena, s, (size_t)(eq - s));
			p->value = arena_strndup(rq->secret, eq + 1, (size_t)(end - eq - 1));
		}
		s = end;
	}
}

static bool is_type(const char *have, const char *want)
{
	size_t n = strlen(want);

	return have != NULL && strncasecmp(have, want, n) == 0 &&
	       (have[n] == '\0' || have[n] == ';' || have[n] == ' ');
}

/* Reads and throws away, so that our answer is read by the server in front. */
static void drain(const struct request_source *src, size_t len, size_t max)
{
	char waste[4096];

	if (len > max)
		len = max;
	while (len > 0) {
		size_t n = src->read_body(src->arg, waste, len < sizeof(waste) ? len : sizeof(waste));

		if (n == 0)
			break;
		len -= n;
	}
	explicit_bzero(waste, sizeof(waste));
}

static enum err body_length(struct request *rq, size_t *len_r)
{
	const char *s = request_env(rq, "CONTENT_LENGTH");
	unsigned seen = 0;
	char **e;

	*len_r = 0;
	for (e = rq->env; e != NULL && *e != NULL; e++)
		seen += strncmp(*e, "CONTENT_LENGTH=", 15) == 0;
	if (seen > 1)
		return bad(rq, 400, "The length of the body is given twice.");
	if (s == NULL || s[0] == '\0')
		return ERR_OK;
	if (s[strspn(s, "0123456789")] != '\0')
		return bad(rq, 400, "The length of the body is malformed.");
	*len_r = strlen(s) > 9 ? (size_t)999999999 : (size_t)strtoul(s, NULL, 10);
	return ERR_OK;
}

const struct request_file *request_file(const struct request *rq, const char *name)
{
	for (unsigned i = 0; i < rq->file_count; i++)
		if (strcmp(rq->files[i].name, name) == 0)
			return &rq->files[i];
	return NULL;
}

static enum err parse_files(
    struct request *rq, const struct request_source *src, const char *type, size_t len)
{
	static const char *const names[] = {REQUEST_FILE_UPLOAD, REQUEST_FILE_PASTED, NULL};
	char *piece = arena_alloc(rq->secret, MULTIPART_FEED_MAX_BYTES);
	struct multipart *mp = NULL;
	size_t n;
	enum err e = multipart_new(rq->secret, type, names, REQUEST_FILES_MAX_BYTES, &mp);

	while (e == ERR_OK && len > 0) {
		n = src->read_body(
		    src->arg, piece, len < MULTIPART_FEED_MAX_BYTES ? len : MULTIPART_FEED_MAX_BYTES);
		if (n == 0)
			break;
		len -= n;
		e = multipart_feed(mp, piece, n);
	}
	if (e == ERR_OK && len == 0)
		e = multipart_end(mp);
	else
		drain(src, len, REQUEST_FILES_BODY_MAX_BYTES);
	if (e == ERR_OK && len == 0)
		multipart_take(mp, &rq->body, rq->files, &rq->file_count);
	multipart_free(&mp);
	if (e == ERR_OK && len == 0)
		e = params_open_nested(&rq->body, rq->secret);
	if (e == ERR_TOO_BIG)
		return bad(rq, 413, "The form's fields are larger than 64 KiB.");
	if (e == ERR_IO)
		return bad(rq, 503, "There is no room for the file now. Try again in a minute.");
	if (e != ERR_OK)
		return bad(rq, 400, "The form is malformed.");
	return len == 0 ? ERR_OK : bad(rq, 400, "The body ended early.");
}

/* A body that is a file as it is.  Over the limit it is read to its end, and empty. */
static enum err parse_csv(struct request *rq, const struct request_source *src, size_t len)
{
	char *piece = arena_alloc(rq->secret, MULTIPART_FEED_MAX_BYTES);
	struct request_file *file = &rq->files[0];
	size_t n;

	*file = (struct request_file){.name = REQUEST_FILE_UPLOAD,
	    .fd = memfd_create("upload", MFD_CLOEXEC),
	    .is_too_big = len > REQUEST_FILES_MAX_BYTES};
	if (file->fd < 0)
		return bad(rq, 503, "There is no room for the file now. Try again in a minute.");
	rq->file_count = 1;
	for (; len > 0; len -= n) {
		n = src->read_body(
		    src->arg, piece, len < MULTIPART_FEED_MAX_BYTES ? len : MULTIPART_FEED_MAX_BYTES);
		if (n == 0)
			return bad(rq, 400, "The body ended early.");
		if (file->is_too_big)
			continue;
		/* to memory: whole, or not at all */
		if (write(file->fd, piece, n) != (ssize_t)n)
			return bad(rq, 503, "There is no room for the file now. Try again in a minute.");
		file->size += n;
	}
	return ERR_OK;
}

/* An object with a list in it: the list stays JSON, the rest become parameters. */
static enum err parse_rows(struct request *rq, const char *text, size_t len)
{
	enum err e = json_read(text, len, &rq->document);

	if (e != ERR_OK)
		return e;
	if (!json_object_is_type(rq->document, json_type_object))
		return ERR_INVALID;
	json_object_object_foreach(rq->document, key, val)
	{
		if (e != ERR_OK)
			break;
		if (strcmp(key, REQUEST_ROWS) == 0 && json_object_is_type(val, json_type_array))
			rq->rows = val;
		else
			e = params_add_member(&rq->body, rq->secret, key, val);
	}
	return e;
}

static size_t body_max(const struct request *rq, const char *type)
{
	bool has_rows = rq->method == METHOD_POST && strcmp(rq->path, REQUEST_ROWS_PATH) == 0 &&
			is_type(type, "application/json");

	return has_rows ? (size_t)REQUEST_ROWS_MAX_BYTES : (size_t)REQUEST_BODY_MAX_BYTES;
}

static enum err parse_body(struct request *rq, const struct request_source *src)
{
	const char *type = request_env(rq, "CONTENT_TYPE");
	size_t len, got = 0, n, max;
	enum err e = body_length(rq, &len);
	char *text;

	if (e != ERR_OK || len == 0)
		return e;
	if (rq->method == METHOD_POST && strcmp(rq->path, REQUEST_FILES_PATH) == 0 &&
	    is_type(type, "multipart/form-data") && len <= REQUEST_FILES_BODY_MAX_BYTES)
		return parse_files(rq, src, type, len);
	if (rq->method == METHOD_POST && strcmp(rq->path, REQUEST_FILES_PATH) == 0 &&
	    is_type(type, "text/csv") && len <= REQUEST_FILES_BODY_MAX_BYTES)
		return parse_csv(rq, src, len);
	max = body_max(rq, type);
	if (len > max || rq->method == METHOD_GET) {
		drain(src, len, DRAIN_MAX_BYTES);
		if (rq->method == METHOD_GET)
			return ERR_OK;
		return bad(rq, 413,
		    max == REQUEST_BODY_MAX_BYTES ? "The form is larger than 64 KiB."
						  : "The list is larger than 2 MiB: send it in parts.");
	}
	text = arena_alloc(rq->secret, len + 1);
	while (got < len && (n = src->read_body(src->arg, text + got, len - got)) > 0)
		got += n;
	if (got < len)
		return bad(rq, 400, "The body ended early.");
	if (is_type(type, "application/x-www-form-urlencoded"))
		e = params_parse(&rq->body, rq->secret, text, len);
	else if (max == REQUEST_ROWS_MAX_BYTES)
		e = parse_rows(rq, text, len);
	else if (is_type(type, "application/json"))
		e = params_parse_json(&rq->body, rq->secret, text, len);
	else
		return bad(rq, 415, "Send a form (application/x-www-form-urlencoded) or flat JSON.");
	return e == ERR_OK ? ERR_OK : bad(rq, 400, "The form is malformed.");
}

static bool is_listed(const struct netmask_list *list, const char *address)
{
	return list != NULL && netmask_list_has_text(list, address);
}

static void find_client(struct request *rq, const struct netmask_list *trusted)
{
	const char *remote = request_env(rq, "REMOTE_ADDR");
	const char *fwd = request_env(rq, "HTTP_X_FORWARDED_FOR");
	char *list, *at;

	rq->client = remote != NULL && parse_is_address(remote) ? arena_strdup(rq->arena, remote) : "unknown";
	if (fwd == NULL || !is_listed(trusted, rq->client))
		return;
	list = arena_strdup(rq->arena, fwd);
	while ((at = strrchr(list, ',')) != NULL || list[0] != '\0') {
		char *one = at ? at + 1 : list;

		one += strspn(one, " \t");
		one[strcspn(one, " \t")] = '\0';
		if (!parse_is_address(one))
			return; /* a forged or garbled chain: stay with what is known */
		rq->client = one;
		if (at == NULL || !is_listed(trusted, one))
			return;
		*at = '\0';
	}
}

static const char *id_of_client(const struct request *rq)
{
	const char *s = request_env(rq, "HTTP_X_REQUEST_ID");
	size_t n =
	    s != NULL ? strspn(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-") : 0;

	return n >= 1 && n <= REQUEST_ID_MAX && s[n] == '\0' ? s : NULL;
}

enum err request_parse(
    const struct request_source *src, const struct netmask_list *trusted_proxies, struct request **rq_r)
{
	struct request *rq = mem_alloc(sizeof(*rq));
	unsigned char id[8];
	const char *accept;
	enum err e;
	size_t i;

	rq->arena = arena_new();
	rq->secret = arena_new_clean();
	rq->env = src->env;
	rq->path = "/";
	rq->uri = "/";
	rq->client = "unknown";
	if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
		log_fatal("getrandom");
	for (i = 0; i < sizeof(id); i++)
		(void)snprintf(rq->id + 2 * i, 3, "%02x", id[i]);
	rq->shown_id = id_of_client(rq);
	if (rq->shown_id == NULL)
		rq->shown_id = rq->id;
	*rq_r = rq;

	accept = request_env(rq, "HTTP_ACCEPT");
	rq->wants_json = accept != NULL && strstr(accept, "application/json") != NULL &&
			 strstr(accept, "text/html") == NULL;
	find_client(rq, trusted_proxies);
	parse_cookies(rq);
	e = parse_method(rq);
	if (e == ERR_OK)
		e = parse_uri(rq);
	rq->wants_json = rq->wants_json || rq->is_api;
	/* the body is read even when the rest was refused, see the header */
	if (parse_body(rq, src) != ERR_OK)
		e = ERR_INVALID;
	return e;
}

void request_free(struct request **rq)
{
	if (*rq == NULL)
		return;
	for (unsigned i = 0; i < (*rq)->file_count; i++)
		(void)close((*rq)->files[i].fd);
	json_wipe(&(*rq)->document);
	arena_free(&(*rq)->secret);
	arena_free(&(*rq)->arena);
	free(*rq);
	*rq = NULL;
}
