#include "engine/output.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/redact.h"
#include "lib/utf8.h"
#include "imap/mutf7.h"

#define SILENCE_MS 10000
#define HOLD_MS 100
#define HELD_MAX 65536

static struct redact *redact;
static mono_time printed;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct buf held = BUF_INIT; /* lines not yet written, as they will be */
static int held_fd = STDOUT_FILENO;
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

static void flush_held(mono_time now)
{
	if (held.len > 0)
		write_all(held_fd, held.data, held.len);
	buf_clear(&held);
	printed = now;
}

/* A line, at once or with those that follow within a tenth of a second. */
static void emit(int fd, const struct buf *line, bool later)
{
	AUTO_BUF struct buf masked = BUF_INIT;
	mono_time now = mono_now();

	(void)pthread_mutex_lock(&lock);
	if (redact != NULL) {
		redact_feed(redact, line->data, line->len, &masked);
		redact_end(redact, &masked);
	} else {
		buf_add(&masked, line->data, line->len);
	}
	if (held_fd != fd)
		flush_held(now);
	held_fd = fd;
	add_escaped(&held, masked.data, masked.len);
	buf_addc(&held, '\n');
	if (!later || mono_diff_ms(printed, now) >= HOLD_MS || held.len >= HELD_MAX)
		flush_held(now);
	(void)pthread_mutex_unlock(&lock);
}

void out_flush(void)
{
	(void)pthread_mutex_lock(&lock);
	flush_held(held.len > 0 ? mono_now() : printed);
	(void)pthread_mutex_unlock(&lock);
}

void out_secret(const char *secret, size_t len)
{
	(void)pthread_mutex_lock(&lock);
	if (redact == NULL)
		redact = redact_new();
	redact_add(redact, secret, len);
	(void)pthread_mutex_unlock(&lock);
}

void out_to_stderr(void)
{
	text_fd = STDERR_FILENO;
}

void out_data(const char *line)
{
	AUTO_BUF struct buf b = BUF_INIT;
	buf_adds(&b, line);
	emit(STDOUT_FILENO, &b, false);
}

void out_end(void)
{
	out_flush();
	redact_free(&redact);
	buf_free(&held);
}

void out(const char *fmt, ...)
{
	AUTO_BUF struct buf line = BUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(&line, fmt, ap);
	va_end(ap);
	emit(text_fd, &line, false);
}

void out_later(const char *fmt, ...)
{
	AUTO_BUF struct buf line = BUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(&line, fmt, ap);
	va_end(ap);
	emit(text_fd, &line, true);
}

void out_alive(const char *fmt, ...)
{
	(void)pthread_mutex_lock(&lock);
	bool silent = mono_diff_ms(printed, mono_now()) >= SILENCE_MS;
	(void)pthread_mutex_unlock(&lock);
	if (!silent)
		return;
	AUTO_BUF struct buf line = BUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(&line, fmt, ap);
	va_end(ap);
	emit(text_fd, &line, false);
}

void out_lines(const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		AUTO_BUF struct buf line = BUF_INIT;
		buf_add(&line, text, len);
		emit(text_fd, &line, false);
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
