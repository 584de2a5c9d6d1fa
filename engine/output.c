#include "engine/output.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/redact.h"
#include "lib/utf8.h"
#include "imap/mutf7.h"

#define SILENCE_MS 10000

static struct redact *redact;
static mono_time printed;
static int text_fd = STDOUT_FILENO;

static void write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			_exit(1);
		bytes += n;
		len -= (size_t)n;
	}
}

static void add_escaped(struct buf *b, const char *s, size_t len)
{
	while (len > 0) {
		size_t n = utf8_sequence(s, len);
		if (n == 0 || (utf8_is_control(s, n) && *s != '\t')) {
			size_t bad = n == 0 ? 1 : n;
			for (size_t i = 0; i < bad; i++)
				buf_addf(b, "\\x%02X", (unsigned char)s[i]);
			n = bad;
		} else {
			buf_add(b, s, n);
		}
		s += n;
		len -= n;
	}
}

static void emit(int fd, const struct buf *line)
{
	AUTO_BUF struct buf masked = BUF_INIT;
	AUTO_BUF struct buf shown = BUF_INIT;
	if (redact != NULL) {
		redact_feed(redact, line->data, line->len, &masked);
		redact_end(redact, &masked);
	} else {
		buf_add(&masked, line->data, line->len);
	}
	add_escaped(&shown, masked.data, masked.len);
	buf_addc(&shown, '\n');
	write_all(fd, shown.data, shown.len);
	printed = mono_now();
}

void out_secret(const char *secret, size_t len)
{
	if (redact == NULL)
		redact = redact_new();
	redact_add(redact, secret, len);
}

void out_to_stderr(void)
{
	text_fd = STDERR_FILENO;
}

void out_data(const char *line)
{
	AUTO_BUF struct buf b = BUF_INIT;
	buf_adds(&b, line);
	emit(STDOUT_FILENO, &b);
}

void out_end(void)
{
	redact_free(&redact);
}

void out(const char *fmt, ...)
{
	AUTO_BUF struct buf line = BUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(&line, fmt, ap);
	va_end(ap);
	emit(text_fd, &line);
}

void out_alive(const char *fmt, ...)
{
	if (mono_diff_ms(printed, mono_now()) < SILENCE_MS)
		return;
	AUTO_BUF struct buf line = BUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(&line, fmt, ap);
	va_end(ap);
	emit(text_fd, &line);
}

void out_lines(const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		AUTO_BUF struct buf line = BUF_INIT;
		buf_add(&line, text, len);
		emit(text_fd, &line);
		text += len + (text[len] == '\n');
	}
}

void out_folder(struct buf *b, const char *name)
{
	AUTO_BUF struct buf decoded = BUF_INIT;
	buf_addf(b, "[%s]", name);
	mutf7_display(name, strlen(name), &decoded);
	if (strcmp(decoded.data, name) != 0)
		buf_addf(b, " = [%s]", decoded.data);
}

void out_bytes(struct buf *b, double bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
	size_t unit = 0;
	double n = bytes / 1024;
	while (fabs(n) >= 1000 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		n /= 1024;
		unit++;
	}
	buf_addf(b, "%.3f %s", n, units[unit]);
}

void out_time(struct buf *b, int64_t unix_s)
{
	char text[128];
	time_t t = (time_t)unix_s;
	struct tm tm;
	if (localtime_r(&t, &tm) != NULL &&
	    strftime(text, sizeof(text), "%A %d %B %Y-%m-%d %H:%M:%S %z %Z", &tm) > 0)
		buf_adds(b, text);
}
