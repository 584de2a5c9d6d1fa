#include "fcgi/response.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/escape.h"
#include "lib/log.h"

/* Threat T17: nothing but our own files, no inline code, no frames but of listed panels, nothing kept by
 * caches. */
static const char policy[] =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors ";
static const char security_headers[] =
    "X-Content-Type-Options: nosniff\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    /* never a path, since some are secrets and the log of the server in front would have them; not
     * no-referrer: that makes browsers send "Origin: null" with our own forms */
    "Referrer-Policy: strict-origin\r\n"
    "Permissions-Policy: camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()\r\n"
    "Cache-Control: no-store\r\n"
    "Vary: Accept, Cookie\r\n";

static void drop_spool(struct response *rs)
{
	if (rs->spool >= 0)
		(void)close(rs->spool);
	rs->spool = -1;
	rs->spool_length = 0;
}

void response_free(struct response *rs)
{
	drop_spool(rs);
	buf_free(&rs->headers);
	buf_wipe(&rs->body);
}

void response_reset(struct response *rs)
{
	rs->status = 0;
	rs->content_type = NULL;
	buf_clear(&rs->headers);
	buf_clear(&rs->body);
	rs->stream = NULL;
	rs->stream_arg = NULL;
	rs->stream_length = 0;
	rs->is_length_unknown = false;
	drop_spool(rs);
}

enum err response_spool(struct response *rs, const void *bytes, size_t len)
{
	const char *at = bytes;

	if (rs->spool < 0)
		rs->spool = memfd_create("answer", MFD_CLOEXEC);
	if (rs->spool < 0)
		return ERR_IO;
	while (len > 0) {
		ssize_t n = write(rs->spool, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ERR_IO;
		at += n;
		len -= (size_t)n;
		rs->spool_length += (uint64_t)n;
	}
	return ERR_OK;
}

static enum err send_spool(const struct response *rs, struct response_sink *sink)
{
	char piece[16384];
	uint64_t at = 0;
	enum err e = ERR_OK;

	while (e == ERR_OK && at < rs->spool_length) {
		ssize_t n = pread(rs->spool, piece, sizeof(piece), (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ERR_IO;
		e = sink->write(sink->arg, piece, (size_t)n);
		at += (uint64_t)n;
	}
	return e;
}

void response_header(struct response *rs, const char *name, const char *value)
{
	const char *p;

	for (p = value; *p != '\0'; p++) {
		if (*p < 0x20 || *p > 0x7E)
			log_fatal("header %s would hold a byte that must not be there", name);
	}
	buf_addf(&rs->headers, "%s: %s\r\n", name, value);
}

void response_attachment(struct response *rs, const char *filename)
{
	AUTO_BUF struct buf v = BUF_INIT;

	escape_attachment(&v, filename);
	response_header(rs, "Content-Disposition", v.data);
}

enum err response_send(
    struct response *rs, const char *request_id, bool is_head, bool secure, struct response_sink *sink)
{
	AUTO_BUF struct buf head = BUF_INIT;
	uint64_t length = rs->spool >= 0 ? rs->spool_length : rs->stream ? rs->stream_length : rs->body.len;
	enum err e;

	buf_addf(&head, "Status: %u\r\n", rs->status);
	if (rs->content_type != NULL)
		buf_addf(&head, "Content-Type: %s\r\n", rs->content_type);
	if (rs->status != 204 && rs->status != 304 && !rs->is_length_unknown)
		buf_addf(&head, "Content-Length: %" PRIu64 "\r\n", length);
	buf_addf(&head, "X-Request-Id: %s\r\n", request_id);
	/* X-Frame-Options knows no list: where there is one, it would forbid what the policy allows */
	if (rs->framers == NULL || rs->framers[0] == '\0')
		buf_addf(&head, "%s'none'\r\nX-Frame-Options: DENY\r\n", policy);
	else
		buf_addf(&head, "%s%s\r\n", policy, rs->framers);
	buf_adds(&head, security_headers);
	if (secure)
		buf_adds(&head, "Strict-Transport-Security: max-age=31536000\r\n");
	buf_add(&head, rs->headers.data, rs->headers.len);
	buf_adds(&head, "\r\n");
	e = sink->write(sink->arg, head.data, head.len);
	if (e != ERR_OK || is_head)
		return e;
	if (rs->spool >= 0)
		return send_spool(rs, sink);
	if (rs->stream != NULL)
		return rs->stream(rs->stream_arg, sink);
	return rs->body.len > 0 ? sink->write(sink->arg, rs->body.data, rs->body.len) : ERR_OK;
}
