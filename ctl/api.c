#include "ctl/api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/model.h"
#include "lib/escape.h"
#include "lib/secretfile.h"
#include "lib/token.h"
#include "lib/utf8.h"
#include "lib/visible.h"

enum { TOKEN_FILE_MAX_BYTES = 4096, WAIT_DEFAULT_S = 5, WAITS_MAX = 12, KEY_BYTES = 16 };

#define API_PREFIX "/api/v1"
#define PAGE_PREFIX "/migration"

struct api {
	struct ctl *ctl;
	struct http *http;
	const char *base;
	const char *authorization; /* the header, with the token */
	const char *account;       /* the header, or NULL */
};

/* One question. */
struct question {
	const char *name, *method, *path, *key;
	const struct buf *form, *file;
	const char *const *values;
	http_sink_fn sink;
};

static const char *default_token_file(struct ctl *ctl)
{
	const char *home = getenv("HOME");

	return home != NULL ? arena_printf(ctl->a, "%s/.config/mailconvoy/token", home) : NULL;
}

/* The token's file has a line or two; *url_r: the second, or NULL. */
static enum ctl_exit read_token(struct ctl *ctl, const char *path, const char **token_r, const char **url_r)
{
	struct buf text = BUF_INIT;
	AUTO_BUF struct buf why = BUF_INIT;
	char *save = NULL, *copy;
	enum err e;

	if (path == NULL) {
		ctl_complain("say where the token is: --token-file FILE");
		return CTL_USAGE;
	}
	e = secretfile_read(path, TOKEN_FILE_MAX_BYTES, &text, &why);
	if (e != ERR_OK) {
		ctl_complain("%s", why.data);
		ctl_complain("a token is made by mailconvoyctl token create, or on the page API");
		buf_wipe(&text);
		return CTL_NO_INPUT;
	}
	copy = arena_strndup(ctl->a, text.data, text.len);
	buf_wipe(&text);
	*token_r = strtok_r(copy, "\r\n\t ", &save);
	*url_r = *token_r != NULL ? strtok_r(NULL, "\r\n\t ", &save) : NULL;
	if (*token_r == NULL) {
		ctl_complain("%s is empty: its first line must be the token", path);
		return CTL_NO_INPUT;
	}
	return CTL_OK;
}

/* base_url of the configuration, which need not be there where the address is given. */
static enum ctl_exit find_base(struct ctl *ctl, const char *given, const char **base_r)
{
	AUTO_BUF struct buf why = BUF_INIT;
	size_t len;

	if (given == NULL) {
		if (conf_load(ctl->conf_path, &ctl->conf, &why) != ERR_OK) {
			ctl_complain("%s", why.data);
			ctl_complain("where is the panel? --api https://panel.example.org");
			return CTL_CONFIG;
		}
		given = ctl->conf->base_url;
	}
	len = strlen(given);
	while (len > 0 && given[len - 1] == '/')
		len--;
	*base_r = arena_strndup(ctl->a, given, len);
	if (!http_url_is_fit(*base_r)) {
		ctl_complain(
		    "%s cannot be asked: it must be https:// and a host, or http:// and this machine",
		    *base_r);
		return CTL_USAGE;
	}
	return CTL_OK;
}

/* A header without a value is not sent, and one with a line break is two: either would be asked otherwise. */
static enum ctl_exit check_header(const char *option, const char *value)
{
	if (value[strspn(value, " ")] == '\0') {
		ctl_complain("%s is empty", option);
		return CTL_USAGE;
	}
	for (const char *p = value; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7F) {
			ctl_complain("the value of %s has no control characters", option);
			return CTL_REFUSED;
		}
	return CTL_OK;
}

static enum ctl_exit set_account(struct api *api, const char *account)
{
	enum ctl_exit code = account != NULL ? check_header("--account", account) : CTL_OK;

	if (account == NULL || code != CTL_OK)
		return code;
	api->account = arena_printf(api->ctl->a, "Mailconvoy-Account: %s", account);
	return CTL_OK;
}

enum ctl_exit api_open(struct ctl *ctl, const struct api_words *w, struct api **api_r)
{
	struct api *api = arena_alloc(ctl->a, sizeof(*api));
	const char *token, *url = NULL;
	enum ctl_exit code =
	    read_token(ctl, w->token_file != NULL ? w->token_file : default_token_file(ctl), &token, &url);

	api->ctl = ctl;
	if (code == CTL_OK)
		code = find_base(ctl, w->url != NULL ? w->url : url, &api->base);
	if (code == CTL_OK)
		code = set_account(api, w->account);
	if (code != CTL_OK)
		return code;
	api->authorization = arena_printf(ctl->a, "Authorization: Bearer %s", token);
	api->http = http_new(w->ca_file);
	*api_r = api;
	return CTL_OK;
}

void api_close(struct api **api)
{
	if (*api != NULL)
		http_free(&(*api)->http);
	*api = NULL;
}

const char *api_new_key(struct ctl *ctl)
{
	unsigned char key[KEY_BYTES];
	char *hex = arena_alloc(ctl->a, 2 * KEY_BYTES + 1);

	token_random(key, sizeof(key));
	token_hex(key, sizeof(key), hex);
	return hex;
}

void api_field(struct buf *form, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_addf(form, "%s%s=", form->len > 0 ? "&" : "", name);
	escape_url(form, value, strlen(value));
}

const char *api_query(struct api *api, const char *path, const char *name, const char *value)
{
	AUTO_BUF struct buf b = BUF_INIT;

	if (value == NULL)
		return path;
	buf_addf(&b, "%s%c%s=", path, strchr(path, '?') != NULL ? '&' : '?', name);
	escape_url(&b, value, strlen(value));
	return arena_strndup(api->ctl->a, b.data, b.len);
}

static enum ctl_exit exit_for_status(unsigned status)
{
	switch (status) {
	case 401:
	case 403: return CTL_DENIED;
	case 409:
	case 412: return CTL_CONFLICT;
	case 429:
	case 502:
	case 503:
	case 504: return CTL_TRY_LATER;
	default: return status >= 500 || status < 400 ? CTL_UNAVAILABLE : CTL_REFUSED;
	}
}

/* Texts from outside: nothing in them may steer the terminal. */
static void complain_of(const char *name, const char *text)
{
	AUTO_BUF struct buf shown = BUF_INIT;

	if (name != NULL)
		buf_addf(&shown, "%s: ", name);
	if (utf8_valid(text, strlen(text)))
		visible_line(text, strlen(text), &shown);
	ctl_complain("%s", shown.data);
}

/* Say why: the sentences of a problem (RFC 9457), and of each field refused. */
static enum ctl_exit refused(
    const struct question *q, const struct http_answer *answer, struct json_object *problem)
{
	AUTO_BUF struct buf text = BUF_INIT;
	const char *title = model_text(problem, "title"), *detail = model_text(problem, "detail");
	struct json_object *fields = model_at(problem, "fields");

	if (title == NULL)
		buf_addf(&text, "the panel answered with status %u", answer->status);
	else
		buf_addf(&text, "%s. %s", title, detail != NULL ? detail : "");
	complain_of(q->name, text.data);
	if (json_object_is_type(fields, json_type_object)) {
		json_object_object_foreach(fields, field, reason)
		{
			if (json_object_is_type(reason, json_type_string))
				complain_of(field, json_object_get_string(reason));
		}
	}
	return exit_for_status(answer->status);
}

static void wait_s(unsigned seconds)
{
	struct timespec t = {.tv_sec = seconds};

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		;
}

/* Send it until it is answered otherwise than with "too many requests". */
static enum err send_patiently(
    struct api *api, const struct http_request *rq, struct http_answer *answer, struct buf *why)
{
	enum err e;

	for (unsigned waits = 0;; waits++) {
		e = http_do(api->http, rq, answer, why);
		if (e != ERR_OK || answer->status != 429 || waits == WAITS_MAX)
			return e;
		wait_s(answer->retry_after_s > 0 ? answer->retry_after_s : WAIT_DEFAULT_S);
	}
}

/* The address of a path of the API, or of a page's. */
static const char *address(const struct api *api, struct arena *a, const char *path)
{
	size_t n = strlen(PAGE_PREFIX);

	if (strncmp(path, PAGE_PREFIX "/", n + 1) == 0)
		path += n;
	return arena_printf(a, "%s" API_PREFIX "%s", api->base, path);
}

static enum err send(struct api *api, const struct question *q, struct http_answer *answer, struct buf *why)
{
	AUTO_ARENA struct arena *a = arena_new();
	const char *headers[5] = {api->authorization, "Accept: application/json"};
	struct http_request rq = {.method = q->method,
	    .url = address(api, a, q->path),
	    .headers = headers,
	    .form = q->form,
	    .file = q->file,
	    .values = q->values,
	    .sink = q->sink};
	size_t n = 2;
	enum err e;

	if (api->account != NULL)
		headers[n++] = api->account;
	if (q->key != NULL)
		headers[n++] = arena_printf(a, "Idempotency-Key: %s", q->key);
	e = send_patiently(api, &rq, answer, why);
	/* once more where that does no harm: it changes nothing, or nothing twice */
	if (e == ERR_UNCERTAIN && q->sink == NULL && (q->key != NULL || strcmp(q->method, "GET") == 0)) {
		buf_clear(why);
		e = send_patiently(api, &rq, answer, why);
	}
	return e;
}

static enum ctl_exit not_answered(const struct question *q, enum err e, const char *why)
{
	if (e == ERR_CLOSED)
		return CTL_OK; /* whoever read our output has had enough */
	if (e == ERR_UNCERTAIN && strcmp(q->method, "GET") != 0) {
		complain_of(q->name, why);
		ctl_complain("it may or may not have been done: look before you do it again");
		return CTL_TRY_LATER;
	}
	complain_of(q->name, why[0] != '\0' ? why : err_text(e));
	return e == ERR_UNCERTAIN ? CTL_TRY_LATER : CTL_UNAVAILABLE;
}

static enum ctl_exit ask(struct api *api, const struct question *q, struct json_object **model_r)
{
	struct http_answer answer = {.body = BUF_INIT};
	AUTO_BUF struct buf why = BUF_INIT;
	struct json_object *model = NULL;
	enum err e = send(api, q, &answer, &why);
	enum ctl_exit code = CTL_OK;

	if (model_r != NULL)
		*model_r = NULL;
	if (e == ERR_OK && answer.is_json)
		model = json_tokener_parse(answer.body.data);
	if (e != ERR_OK) {
		code = not_answered(q, e, why.data);
	} else if (answer.status / 100 != 2) {
		code = refused(q, &answer, model);
	} else if (model_r != NULL && model == NULL) {
		ctl_complain("%s is no panel of ours: it answered with something else", api->base);
		code = CTL_UNAVAILABLE;
	} else if (model_r != NULL) {
		*model_r = model;
		model = NULL;
	}
	json_object_put(model);
	buf_free(&answer.body);
	return code;
}

enum ctl_exit api_get(struct api *api, const char *name, const char *path, struct json_object **model_r)
{
	return ask(api, &(struct question){.name = name, .method = "GET", .path = path}, model_r);
}

enum ctl_exit api_post(struct api *api, const char *name, const char *path, const struct buf *form,
    const char *key, struct json_object **model_r)
{
	enum ctl_exit code = key != NULL ? check_header("--key", key) : CTL_OK;

	if (code != CTL_OK)
		return code;
	return ask(api,
	    &(struct question){.name = name, .method = "POST", .path = path, .form = form, .key = key},
	    model_r);
}

enum ctl_exit api_upload(struct api *api, const char *path, const struct buf *file, const char *const *values,
    struct json_object **model_r)
{
	return ask(
	    api, &(struct question){.method = "POST", .path = path, .file = file, .values = values}, model_r);
}

enum ctl_exit api_delete(struct api *api, const char *name, const char *path)
{
	return ask(api, &(struct question){.name = name, .method = "DELETE", .path = path}, NULL);
}

static enum err copy_out(void *arg, const char *bytes, size_t len)
{
	(void)arg;
	if (fwrite(bytes, 1, len, stdout) == len)
		return ERR_OK;
	return errno == EPIPE ? ERR_CLOSED : ERR_IO;
}

enum ctl_exit api_copy(struct api *api, const char *name, const char *path)
{
	return ask(
	    api, &(struct question){.name = name, .method = "GET", .path = path, .sink = copy_out}, NULL);
}

enum ctl_exit api_demand_account(struct api *api)
{
	struct json_object *m;
	const char *role;
	enum ctl_exit code;

	if (api->account != NULL)
		return CTL_OK;
	code = api_get(api, NULL, "/session", &m);
	role = code == CTL_OK ? model_text(m, "user.role") : NULL;
	if (role != NULL && strcmp(role, "admin") == 0) {
		ctl_complain("whose is it to be?  --account NAME");
		code = CTL_USAGE;
	}
	json_object_put(m);
	return code;
}
