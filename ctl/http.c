#include "ctl/http.h"

#include "config.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/arena.h"
#include "lib/mem.h"
#include "lib/parse.h"

enum { CONNECT_S = 20, SILENT_S = 120 };

struct http {
	CURL *curl;
	const char *ca_file;
};

/* One request under way. */
struct exchange {
	struct http *h;
	const struct http_request *rq;
	struct http_answer *answer;
	enum err e; /* what ended it from our side */
};

static void *wiping_calloc(size_t count, size_t size)
{
	return mem_array(count, size);
}

struct http *http_new(const char *ca_file)
{
	struct http *h = mem_alloc(sizeof(*h));

	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, mem_alloc, mem_wiping_free, mem_wiping_resize,
		mem_strdup, wiping_calloc) != CURLE_OK)
		abort();
	h->curl = curl_easy_init();
	if (h->curl == NULL)
		abort();
	h->ca_file = ca_file;
	return h;
}

void http_free(struct http **h)
{
	if (*h == NULL)
		return;
	curl_easy_cleanup((*h)->curl);
	curl_global_cleanup();
	free(*h);
	*h = NULL;
}

bool http_url_is_fit(const char *url)
{
	AUTO_ARENA struct arena *a = arena_new();
	bool is_plain = strncasecmp(url, "http://", 7) == 0;
	const char *host = url + (is_plain ? 7 : 8);

	if ((!is_plain && strncasecmp(url, "https://", 8) != 0) || host[0] == '\0' ||
	    host[strcspn(host, "/?#@ \t\r\n\"'<>\\")] != '\0')
		return false;
	host = host[0] == '[' ? arena_strndup(a, host + 1, strcspn(host + 1, "]"))
			      : arena_strndup(a, host, strcspn(host, ":"));
	return !is_plain || parse_is_loopback(host);
}

static size_t take_body(char *bytes, size_t one, size_t len, void *arg)
{
	struct exchange *x = arg;
	struct buf *body = &x->answer->body;
	long status = 0;

	(void)one;
	(void)curl_easy_getinfo(x->h->curl, CURLINFO_RESPONSE_CODE, &status);
	if (x->rq->sink != NULL && status / 100 == 2)
		x->e = x->rq->sink(x->rq->arg, bytes, len);
	else if (body->len + len > HTTP_ANSWER_MAX_BYTES)
		x->e = ERR_TOO_BIG;
	else
		buf_add(body, bytes, len);
	return x->e == ERR_OK ? len : 0;
}

static void set_connection(struct http *h)
{
	CURL *c = h->curl;

	curl_easy_reset(c);
	(void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c, CURLOPT_USERAGENT, "mailconvoyctl/" PACKAGE_VERSION);
	(void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	/* a log may take its time, as long as it moves */
	(void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)SILENT_S);
	if (h->ca_file != NULL)
		(void)curl_easy_setopt(c, CURLOPT_CAINFO, h->ca_file);
}

static curl_mime *add_file(CURL *c, const struct buf *file, const char *const *values)
{
	curl_mime *form = curl_mime_init(c);
	curl_mimepart *part;

	for (; values != NULL && *values != NULL; values += 2) {
		part = curl_mime_addpart(form);
		(void)curl_mime_name(part, values[0]);
		(void)curl_mime_data(part, values[1], CURL_ZERO_TERMINATED);
	}
	part = curl_mime_addpart(form);
	(void)curl_mime_name(part, "file");
	(void)curl_mime_filename(part, "import.csv");
	(void)curl_mime_type(part, "text/csv");
	(void)curl_mime_data(part, file->data, file->len);
	(void)curl_easy_setopt(c, CURLOPT_MIMEPOST, form);
	return form;
}

static void read_headers(CURL *c, struct http_answer *answer)
{
	curl_off_t wait_s = 0;
	char *type = NULL;
	long status = 0;

	(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(c, CURLINFO_RETRY_AFTER, &wait_s);
	(void)curl_easy_getinfo(c, CURLINFO_CONTENT_TYPE, &type);
	answer->status = (unsigned)status;
	answer->retry_after_s = wait_s > 0 && wait_s < 3600 ? (unsigned)wait_s : 0;
	answer->is_json = type != NULL && (strncasecmp(type, "application/json", 16) == 0 ||
					      strncasecmp(type, "application/problem+json", 24) == 0);
}

/* Whether nothing of the request can have reached the panel. */
static bool was_not_sent(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_URL_MALFORMAT: return true;
	default: return false;
	}
}

static enum err perform(struct exchange *x, struct buf *why)
{
	char text[CURL_ERROR_SIZE] = "";
	CURLcode code;

	(void)curl_easy_setopt(x->h->curl, CURLOPT_ERRORBUFFER, text);
	(void)curl_easy_setopt(x->h->curl, CURLOPT_WRITEFUNCTION, take_body);
	(void)curl_easy_setopt(x->h->curl, CURLOPT_WRITEDATA, x);
	code = curl_easy_perform(x->h->curl);
	(void)curl_easy_setopt(x->h->curl, CURLOPT_ERRORBUFFER, NULL);
	if (x->e != ERR_OK) {
		if (x->e == ERR_TOO_BIG)
			buf_adds(why, "the answer is too large");
		return x->e;
	}
	if (code == CURLE_OK) {
		read_headers(x->h->curl, x->answer);
		return ERR_OK;
	}
	buf_adds(why, text[0] != '\0' ? text : curl_easy_strerror(code));
	return was_not_sent(code) ? ERR_UNAVAILABLE : ERR_UNCERTAIN;
}

enum err http_do(struct http *h, const struct http_request *rq, struct http_answer *answer_r, struct buf *why)
{
	struct exchange x = {.h = h, .rq = rq, .answer = answer_r};
	struct curl_slist *headers = NULL;
	curl_mime *mime = NULL;
	enum err e;

	buf_clear(&answer_r->body);
	set_connection(h);
	(void)curl_easy_setopt(h->curl, CURLOPT_URL, rq->url);
	/* to this machine no proxy is needed, and none shall see what is sent */
	if (strncasecmp(rq->url, "http:", 5) == 0)
		(void)curl_easy_setopt(h->curl, CURLOPT_PROXY, "");
	if (rq->form != NULL) {
		(void)curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, rq->form->data);
		(void)curl_easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)rq->form->len);
	}
	if (rq->file != NULL)
		mime = add_file(h->curl, rq->file, rq->values);
	else
		(void)curl_easy_setopt(h->curl, CURLOPT_CUSTOMREQUEST, rq->method);
	for (size_t i = 0; rq->headers[i] != NULL; i++)
		headers = curl_slist_append(headers, rq->headers[i]);
	/* the whole body at once, without asking whether it may come */
	headers = curl_slist_append(headers, "Expect:");
	(void)curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, headers);
	e = perform(&x, why);
	curl_easy_reset(h->curl);
	curl_mime_free(mime);
	curl_slist_free_all(headers);
	return e;
}
