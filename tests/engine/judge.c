/*
 * Reads a run's output from standard input and prints what the worker makes of it, one "name value" a line:
 * so that the engine's output is tested against the parser that will read it.  Argument: the exit code, or
 * minus the signal, as Python's subprocess has it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "worker/outcome.h"
#include "worker/progress.h"

int main(int argc, char **argv)
{
	static struct progress p;
	char chunk[4096];
	size_t n;
	int code = argc > 1 ? atoi(argv[1]) : 0;

	progress_init(&p);
	while ((n = fread(chunk, 1, sizeof(chunk), stdin)) > 0)
		progress_feed(&p, chunk, n);
	progress_end(&p);
	const struct outcome_input in = {
	    .have_status = true,
	    .wait_status = code < 0 ? -code : code << 8,
	    .dry_run = argc > 2,
	    .progress = &p,
	};
	const struct outcome o = outcome_judge(&in);
	const struct {
		const char *name;
		long long value;
	} numbers[] = {
	    {"folders_total", p.folders_total},
	    {"folders_done", p.folders_done},
	    {"messages_total", p.messages_total},
	    {"messages_done", progress_messages_done(&p)},
	    {"bytes_total", p.bytes_total},
	    {"biggest_bytes", p.biggest_bytes},
	    {"messages_to_copy", p.messages_to_copy},
	    {"messages_copied", p.messages_copied},
	    {"messages_failed", p.messages_failed},
	    {"bytes_copied", p.bytes_copied},
	    {"errors", p.errors},
	    {"missing", p.missing},
	    {"quota_limit_bytes", p.quota_limit_bytes},
	    {"looks_good", p.looks_good},
	    {"statistics", p.statistics},
	    {"exit_code", p.exit_code},
	};
	printf("state %d\nreason %s\naction %s\n", (int)o.state, o.reason, o.action);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		printf("%s %lld\n", numbers[i].name, numbers[i].value);
	return 0;
}
