/*
 * The program's own log: one event, one line, to standard error.  Where that is the journal (JOURNAL_STREAM
 * names it, systemd.exec(5)), a line begins with its priority as <N> (sd-daemon(3)) instead of the program's
 * name and process, which the journal adds itself.  Control characters, what is hidden (lib/utf8.h) and
 * invalid UTF-8 in what is logged are escaped as \xNN, so that a user's name or a server's text cannot forge
 * a line.  errno survives every call.  Never pass a secret.
 */
#ifndef MCV_LIB_LOG_H
#define MCV_LIB_LOG_H

#include "lib/err.h"

/* program: shown at the start of each line; must outlive the process.  debug: whether log_debug() prints. */
void log_init(const char *program, int debug);

/* What the following lines are about ("request 4f2a…", "job 17"), copied, cut at 119 bytes; NULL for nothing.
 */
void log_context(const char *what);

/* Adds ": <text of errno>". */
void log_warn(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_warnx(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_info(const char *fmt, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Logs as log_warnx does and exits with status 111 (the system failed us); for start-up only. */
void log_fatal(const char *fmt, ...) PRINTF_LIKE(1, 2) __attribute__((noreturn));

#endif
