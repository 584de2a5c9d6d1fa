/* The progress parser against any output, cut anywhere: the first byte says how long the pieces are. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"
#include "worker/outcome.h"
#include "worker/progress.h"
#include "worker/verified.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct progress p;
	static struct verified v;
	struct outcome_input in = {.have_status = true, .progress = &p};
	size_t step;

	if (size < 3)
		return 0;
	step = (size_t)data[0] + 1;
	in.wait_status = data[1] << 8;
	in.dry_run = data[2] & 1;
	progress_init(&p);
	verified_init(&v);
	p.on_line = verified_line;
	p.on_line_ctx = &v;
	for (size_t i = 3; i < size; i += step)
		progress_feed(&p, data + i, size - i < step ? size - i : step);
	progress_end(&p);
	if (p.messages_copied < 0 || p.bytes_copied < 0 || p.messages_failed < 0 ||
	    p.exit_code < PROGRESS_UNKNOWN || progress_messages_done(&p) < PROGRESS_UNKNOWN ||
	    v.messages < 0 || v.adapted < 0 || v.unread < 0 || v.rows_len >= sizeof(v.rows) ||
	    !utf8_valid(v.rows, v.rows_len) ||
	    strcmp(outcome_judge_verified(&in, &in, &v).reason, "internal") == 0 ||
	    !utf8_valid(p.folder_current, strlen(p.folder_current)) ||
	    !utf8_valid(p.detail, strlen(p.detail)) || strcmp(outcome_judge(&in).reason, "internal") == 0)
		abort();
	return 0;
}
