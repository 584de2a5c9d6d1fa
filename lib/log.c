#include "lib/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/utf8.h"

enum { PRIO_ERR = 3, PRIO_WARNING = 4, PRIO_INFO = 6, PRIO_DEBUG = 7 };

static const char *log_program = "mailconvoy";
static bool log_debugging;
static bool log_journal;
static char log_what[120];

/* JOURNAL_STREAM ("device:inode") is inherited also by those whose standard error goes elsewhere. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char mine[64];
	struct stat st;

	if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
		return false;
	(void)snprintf(mine, sizeof(mine), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, mine) == 0;
}

void log_init(const char *program, int debug)
{
	log_program = program;
	log_debugging = debug != 0;
	log_journal = stderr_is_journal();
}

void log_context(const char *what)
{
	(void)snprintf(log_what, sizeof(log_what), "%s", what ? what : "");
}

static void add_escaped(struct buf *out, const char *s, size_t len)
{
	size_t i = 0;

	while (i < len) {
		size_t n = utf8_sequence(s + i, len - i);

		if (n == 0 || utf8_is_control(s + i, n) || utf8_is_hidden(s + i, n)) {
			for (n = n == 0 ? 1 : n; n > 0; n--)
				buf_addf(out, "\\x%02X", (unsigned char)s[i++]);
		} else {
			buf_add(out, s + i, n);
			i += n;
		}
	}
}

static void emit(int prio, int with_errno, const char *fmt, va_list ap)
{
	int saved = errno;
	AUTO_BUF struct buf raw = BUF_INIT;
	AUTO_BUF struct buf line = BUF_INIT;
	size_t done = 0;

	buf_vaddf(&raw, fmt, ap);
	if (with_errno)
		buf_addf(&raw, ": %s", strerror(saved));
	if (log_journal)
		buf_addf(&line, "<%d>", prio); /* it knows name and process */
	else
		buf_addf(&line, "%s[%d]: ", log_program, (int)getpid());
	if (log_what[0] != '\0') {
		add_escaped(&line, log_what, strlen(log_what));
		buf_adds(&line, ": ");
	}
	add_escaped(&line, raw.data, raw.len);
	buf_addc(&line, '\n');
	while (done < line.len) {
		ssize_t n = write(STDERR_FILENO, line.data + done, line.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	errno = saved;
}

#define EMIT(prio, with_errno) \
	do { \
		va_list ap; \
		va_start(ap, fmt); \
		emit(prio, with_errno, fmt, ap); \
		va_end(ap); \
	} while (0)

void log_warn(const char *fmt, ...)
{
	EMIT(PRIO_WARNING, 1);
}

void log_warnx(const char *fmt, ...)
{
	EMIT(PRIO_WARNING, 0);
}

void log_info(const char *fmt, ...)
{
	EMIT(PRIO_INFO, 0);
}

void log_debug(const char *fmt, ...)
{
	if (log_debugging)
		EMIT(PRIO_DEBUG, 0);
}

void log_fatal(const char *fmt, ...)
{
	EMIT(PRIO_ERR, 0);
	exit(111);
}
