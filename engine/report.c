#include "engine/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/buf.h"
#include "engine/output.h"

struct error_row {
	const char *name;
	enum exit_code code;
};

static const struct error_row error_rows[ERROR__COUNT] = {
    [ERROR_APPEND] = {"ERR_APPEND", EXIT_CODE_APPEND},
    [ERROR_APPEND_SIZE] = {"ERR_APPEND_SIZE", EXIT_CODE_APPEND},
    [ERROR_APPEND_VIRUS] = {"ERR_APPEND_VIRUS", EXIT_CODE_APPEND_VIRUS},
    [ERROR_AUTH_USER1] = {"ERR_AUTHENTICATION_FAILURE_USER1", EXIT_CODE_AUTH_USER1},
    [ERROR_AUTH_USER2] = {"ERR_AUTHENTICATION_FAILURE_USER2", EXIT_CODE_AUTH_USER2},
    [ERROR_CONNECTION_HOST1] = {"ERR_CONNECTION_FAILURE_HOST1", EXIT_CODE_CONNECTION_HOST1},
    [ERROR_CONNECTION_HOST2] = {"ERR_CONNECTION_FAILURE_HOST2", EXIT_CODE_CONNECTION_HOST2},
    [ERROR_CREATE] = {"ERR_CREATE", EXIT_CODE_CREATE},
    [ERROR_TLS] = {"ERR_EXIT_TLS_FAILURE", EXIT_CODE_TLS},
    [ERROR_FLAGS] = {"ERR_FLAGS", EXIT_CODE_FLAGS},
    [ERROR_FETCH] = {"ERR_Host1_FETCH", EXIT_CODE_FETCH},
    [ERROR_OVERQUOTA] = {"ERR_OVERQUOTA", EXIT_CODE_OVERQUOTA},
    [ERROR_SELECT] = {"ERR_SELECT", EXIT_CODE_SELECT},
    [ERROR_TRANSFER_EXCEEDED] = {"ERR_TRANSFER_EXCEEDED", EXIT_CODE_TRANSFER_EXCEEDED},
    [ERROR_UNCLASSIFIED] = {"ERR_UNCLASSIFIED", EXIT_CODE_ERRORS},
};

static const struct {
	enum exit_code code;
	const char *name;
} exit_rows[] = {
    {EXIT_CODE_OK, "EX_OK: successful termination"},
    {EXIT_CODE_CATCH_ALL, "EXIT_CATCH_ALL"},
    {EXIT_CODE_BY_SIGNAL, "EXIT_BY_SIGNAL"},
    {EXIT_CODE_PID_FILE, "EXIT_PID_FILE_ERROR"},
    {EXIT_CODE_TLS, "EXIT_TLS_FAILURE"},
    {EXIT_CODE_SUBFOLDER1, "EXIT_SUBFOLDER1_NO_EXISTS"},
    {EXIT_CODE_VERIFY_MISSING, "EXIT_VERIFY_MISSING"},
    {EXIT_CODE_VERIFY_ALTERED, "EXIT_VERIFY_ALTERED"},
    {EXIT_CODE_VERIFY_DOUBLED, "EXIT_VERIFY_DOUBLED"},
    {EXIT_CODE_USAGE, "EX_USAGE: command line usage error"},
    {EXIT_CODE_NO_INPUT, "EX_NOINPUT: cannot open input"},
    {EXIT_CODE_CONNECTION_HOST1, "EXIT_CONNECTION_FAILURE_HOST1"},
    {EXIT_CODE_CONNECTION_HOST2, "EXIT_CONNECTION_FAILURE_HOST2"},
    {EXIT_CODE_ERRORS, "EXIT_WITH_ERRORS"},
    {EXIT_CODE_ERRORS_MAX, "EXIT_WITH_ERRORS_MAX"},
    {EXIT_CODE_OVERQUOTA, "EXIT_OVERQUOTA"},
    {EXIT_CODE_APPEND, "EXIT_ERR_APPEND"},
    {EXIT_CODE_FETCH, "EXIT_ERR_FETCH"},
    {EXIT_CODE_CREATE, "EXIT_ERR_CREATE"},
    {EXIT_CODE_SELECT, "EXIT_ERR_SELECT"},
    {EXIT_CODE_TRANSFER_EXCEEDED, "EXIT_TRANSFER_EXCEEDED"},
    {EXIT_CODE_APPEND_VIRUS, "EXIT_ERR_APPEND_VIRUS"},
    {EXIT_CODE_FLAGS, "EXIT_ERR_FLAGS"},
    {EXIT_CODE_AUTH_USER1, "EXIT_AUTHENTICATION_FAILURE_USER1"},
    {EXIT_CODE_AUTH_USER2, "EXIT_AUTHENTICATION_FAILURE_USER2"},
};

void report_init(struct report *r, const struct options *o, struct arena *a)
{
	*r = (struct report){.options = o, .arena = a, .started_s = unix_now_s(), .started = mono_now()};
	r->transfer_started = r->started;
	(void)pthread_mutex_init(&r->lock, NULL);
	r->errors = arena_array(a, o->errors_max < 10000 ? o->errors_max : 10000, sizeof(*r->errors));
}

bool report_is_full(const struct report *r)
{
	return r->error_count >= r->options->errors_max || r->error_count >= 10000;
}

void report_error(struct report *r, enum error_type type, const char *fmt, ...)
{
	va_list ap;
	(void)pthread_mutex_lock(&r->lock);
	if (!report_is_full(r)) {
		va_start(ap, fmt);
		char *text = arena_vprintf(r->arena, fmt, ap);
		va_end(ap);
		r->errors[r->error_count] = text;
		r->error_types[type]++;
		r->error_count++;
		out("%s", text);
	}
	(void)pthread_mutex_unlock(&r->lock);
}

const char *report_eta(const struct report *r, struct arena *a)
{
	if (!r->sized_at_start)
		return "";
	AUTO_BUF struct buf when = BUF_INIT;
	uint64_t total = r->start_messages[0];
	uint64_t left = total > r->processed ? total - r->processed : 0;
	uint64_t moved = r->options->dry ? r->processed : r->transferred;
	double spent_s = (double)mono_diff_ms(r->transfer_started, mono_now()) / 1000;
	double left_s = spent_s / (double)(moved > 0 ? moved : 1) * (double)left;

	out_time(&when, unix_now_s() + (int64_t)left_s);
	return arena_printf(a, "ETA: %s  %1.0f s  %llu/%llu msgs left", when.data, left_s,
	    (unsigned long long)left, (unsigned long long)total);
}

#define TAIL_MS 100

static void make_tail(struct report *r, mono_time now)
{
	AUTO_ARENA struct arena *a = arena_new();
	AUTO_BUF struct buf rate = BUF_INIT;
	AUTO_BUF struct buf total = BUF_INIT;
	int64_t spent_ms = mono_diff_ms(r->transfer_started, now);
	double spent_s = spent_ms > 0 ? (double)spent_ms / 1000 : 0.001;

	out_bytes(&rate, (double)r->bytes_transferred / spent_s);
	out_bytes(&total, (double)r->bytes_transferred);
	snprintf(r->tail, sizeof(r->tail), "%.2f msgs/s  %s/s %s copied %s", (double)r->transferred / spent_s,
	    rate.data, total.data, report_eta(r, a));
	r->tailed = now;
}

void report_copied(
    struct report *r, const char *folder1, uint32_t uid1, uint64_t size, const char *folder2, uint32_t uid2)
{
	char what[48];
	char to[16] = "";
	mono_time now = mono_now();

	snprintf(what, sizeof(what), "%u {%llu}", uid1, (unsigned long long)size);
	if (uid2 > 0)
		snprintf(to, sizeof(to), "%u", uid2);
	(void)pthread_mutex_lock(&r->lock);
	r->transferred++;
	r->processed++;
	r->bytes_transferred += size;
	if (size > r->biggest_transferred)
		r->biggest_transferred = size;
	if (r->tail[0] == '\0' || mono_diff_ms(r->tailed, now) >= TAIL_MS ||
	    (r->sized_at_start && r->processed >= r->start_messages[0]))
		make_tail(r, now);
	out_later("msg %s/%-19s copied to %s/%-10s %s", folder1, what, folder2, to, r->tail);
	(void)pthread_mutex_unlock(&r->lock);
}

static void line_bytes(const char *label, uint64_t n, const char *unit)
{
	AUTO_BUF struct buf human = BUF_INIT;
	out_bytes(&human, (double)n);
	out("%-40s: %llu%s (%s)", label, (unsigned long long)n, unit, human.data);
}

static void line_count(const char *label, uint64_t n)
{
	out("%-40s: %llu", label, (unsigned long long)n);
}

static void line_difference(const char *label, const uint64_t messages[2], const uint64_t bytes[2])
{
	AUTO_BUF struct buf human = BUF_INIT;
	int64_t more_messages = (int64_t)(messages[1] - messages[0]);
	int64_t more_bytes = (int64_t)(bytes[1] - bytes[0]);
	out_bytes(&human, (double)more_bytes);
	out("%-40s: %lld messages, %lld bytes (%s)", label, (long long)more_messages, (long long)more_bytes,
	    human.data);
}

static void verdict(const struct report *r)
{
	unsigned long long host1 = r->identified[0];
	unsigned long long host2 = r->identified[1];
	if (r->folders_failed > 0)
		out("The sync is not finished, there are %llu among %llu identified messages in host1 that "
		    "are not on host2, "
		    "and %u folders that could not be gone through.",
		    (unsigned long long)r->missing, host1, r->folders_failed);
	else if (host1 > 0 && r->missing == 0)
		out("The sync looks good, all %llu identified messages in host1 are on host2.", host1);
	else if (host1 > 0)
		out("The sync is not finished, there are %llu among %llu identified messages in host1 that "
		    "are not on "
		    "host2.",
		    (unsigned long long)r->missing, host1);
	if (r->unlisted > 0)
		out("There are %u unidentified messages: the server of host1 tells nothing about them.",
		    r->unlisted);
	else if (host1 > 0)
		out("There is no unidentified message on host1.");
	if (r->extra == 0)
		out("The sync is strict, all %llu identified messages in host2 are on host1.", host2);
	else
		out("The sync is not strict, there are %llu among %llu identified messages in host2 that are "
		    "not on "
		    "host1.",
		    (unsigned long long)r->extra, host2);
}

/* The most memory this program held; getrusage(2) would count what its parent held before exec. */
static double peak_mib(void)
{
	char line[256];
	unsigned long kib = 0;
	FILE *f = fopen("/proc/self/status", "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "VmHWM: %lu kB", &kib) == 1)
			break;
	}
	if (f != NULL)
		(void)fclose(f);
	return (double)kib / 1024;
}

void report_statistics(const struct report *r)
{
	AUTO_BUF struct buf began = BUF_INIT;
	AUTO_BUF struct buf ended = BUF_INIT;
	struct rusage used = {0};
	double spent_s = (double)mono_diff_ms(r->started, mono_now()) / 1000;
	double per_s = spent_s > 0 ? spent_s : 1;

	(void)getrusage(RUSAGE_SELF, &used);
	double cpu_s = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
		       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
	out_time(&began, r->started_s);
	out_time(&ended, unix_now_s());
	out("++++ Statistics");
	out("%-40s: %s", "Transfer started on", began.data);
	out("%-40s: %s", "Transfer ended on", ended.data);
	out("%-40s: %.1f sec", "Transfer time", spent_s);
	out("%-40s: %u/%u synced", "Folders synced", r->folders_done, r->folders_total);
	if (r->options->dry)
		out("%-40s: %llu (could be %llu without dry mode)", "Messages transferred",
		    (unsigned long long)r->transferred, (unsigned long long)r->would_be);
	else
		out("%-40s: %llu ", "Messages transferred", (unsigned long long)r->transferred);
	line_count("Messages skipped", r->skipped);
	line_count("Messages found duplicate on host1", r->duplicates[0]);
	line_count("Messages found duplicate on host2", r->duplicates[1]);
	line_count("Messages found crossduplicate on host2", 0);
	line_count("Messages void (noheader) on host1", 0);
	line_count("Messages void (noheader) on host2", 0);
	out("%-40s: %llu messages", "Messages found in host1 not in host2", (unsigned long long)r->missing);
	out("%-40s: %llu messages", "Messages found in host2 not in host1", (unsigned long long)r->extra);
	line_count("Messages deleted on host1", 0);
	if (r->counted_deletions)
		out("%-40s: %llu (could be %llu without dry mode)", "Messages deleted on host2",
		    (unsigned long long)r->deleted, (unsigned long long)r->would_delete);
	else
		line_count("Messages deleted on host2", r->deleted);
	if (r->deletions[0] != '\0')
		out("%-40s: %s ", "Digest of deletions on host2", r->deletions);
	line_bytes("Total bytes transferred", r->bytes_transferred, "");
	line_bytes("Total bytes skipped", r->bytes_skipped, "");
	out("%-40s: %.1f messages/s", "Message rate", (double)r->transferred / per_s);
	out("%-40s: %.1f KiB/s", "Average bandwidth rate", (double)r->bytes_transferred / 1024 / per_s);
	line_count("Reconnections to host1", r->reconnections[0]);
	line_count("Reconnections to host2", r->reconnections[1]);
	out("%-40s: %.1f MiB", "Memory consumption at the end", peak_mib());
	out("%-40s: %.2f sec %.1f %%cpu", "CPU time and %cpu", cpu_s, 100 * cpu_s / per_s);
	line_bytes("Biggest message transferred", r->biggest_transferred, " bytes");
	if (r->sized_at_start && r->sized_at_end) {
		line_difference("Start difference host2 - host1", r->start_messages, r->start_bytes);
		line_difference("Final difference host2 - host1", r->end_messages, r->end_bytes);
	}
	verdict(r);
	out("Detected %u errors", r->error_count);
}

static enum error_type most_frequent(const struct report *r)
{
	enum error_type most = ERROR_APPEND;
	for (enum error_type t = ERROR_APPEND; t < ERROR__COUNT; t++) {
		if (r->error_types[t] > r->error_types[most])
			most = t;
	}
	return most;
}

static const char *advice(const struct report *r, enum error_type type)
{
	const struct side_options *s = r->options->side;
	switch (type) {
	case ERROR_AUTH_USER1: return arena_printf(r->arena, "Check the credentials for %s.", s[0].user);
	case ERROR_AUTH_USER2: return arena_printf(r->arena, "Check the credentials for %s.", s[1].user);
	case ERROR_CONNECTION_HOST1:
	case ERROR_CONNECTION_HOST2:
		s += type == ERROR_CONNECTION_HOST2;
		return arena_printf(r->arena,
		    "Check that host%u %s on port %u is the right IMAP server to be contacted for your "
		    "mailbox.",
		    type == ERROR_CONNECTION_HOST2 ? 2 : 1, s->host, s->port);
	case ERROR_OVERQUOTA:
		return "The destination mailbox is 100% full, get free space on it and then resume the sync.";
	case ERROR_APPEND_SIZE: return "The destination server refuses too big messages.";
	case ERROR_FLAGS: return "Many STORE errors with FLAGS. Retry with the option --noresyncflags";
	case ERROR_TRANSFER_EXCEEDED:
		return "The maximum transfer size for a single sync is reached. Relaunch the sync to sync "
		       "more.";
	default: return "";
	}
}

static void say_full(const struct report *r)
{
	unsigned max = r->options->errors_max;
	out("Maximum number of errors %u reached ( you can change %u to any value, for example 100 with "
	    "--errorsmax 100 "
	    "). Exiting.",
	    max, max);
}

enum exit_code report_errors_listing(struct report *r)
{
	if (r->error_count == 0)
		return EXIT_CODE_OK;
	enum error_type most = most_frequent(r);
	if (!r->dumped) {
		if (report_is_full(r))
			say_full(r);
		out("++++ Listing %u errors encountered during the sync ( avoid this listing with "
		    "--noerrorsdump ).",
		    r->error_count);
		for (unsigned i = 0; i < r->error_count; i++)
			out("Err %u/%u: %s", i + 1, r->error_count, r->errors[i]);
		out("The most frequent error is %s. %s", error_rows[most].name, advice(r, most));
		if (report_is_full(r))
			say_full(r);
	}
	r->dumped = true;
	if (error_rows[most].code == EXIT_CODE_ERRORS && report_is_full(r))
		return EXIT_CODE_ERRORS_MAX;
	return error_rows[most].code;
}

void report_exit(const struct report *r, enum exit_code code)
{
	const char *name = "";
	for (size_t i = 0; i < sizeof(exit_rows) / sizeof(exit_rows[0]); i++) {
		if (exit_rows[i].code == code)
			name = exit_rows[i].name;
	}
	out("Exiting with return value %d (%s) %u/%u nb_errors/max_errors PID %d", (int)code, name,
	    r->error_count, r->options->errors_max, (int)getpid());
}
