/*
 * mime_build: what lib/mime.h makes of the fields on standard input, each ended by a NUL: from name, from,
 * to, subject, message id, text, HTML.  Exits 1 when they are refused.  For test_mime.py, which reads the
 * mail with a parser that is not ours.
 */
#include <stdio.h>

#include "lib/buf.h"
#include "lib/mime.h"

enum { FIELDS = 7, DATE_S = 1700000000 };

int main(void)
{
	AUTO_BUF struct buf in = BUF_INIT, out = BUF_INIT;
	const char *field[FIELDS];
	size_t at = 0, n;
	char block[4096];

	while ((n = fread(block, 1, sizeof(block), stdin)) > 0)
		buf_add(&in, block, n);
	for (size_t i = 0; i < FIELDS; i++) {
		field[i] = in.data + at;
		while (at < in.len && in.data[at] != '\0')
			at++;
		if (at++ == in.len)
			return 2;
	}
	const struct mime_mail m = {.from_name = field[0],
	    .from = field[1],
	    .to = field[2],
	    .subject = field[3],
	    .message_id = field[4],
	    .date_s = DATE_S,
	    .text = field[5],
	    .html = field[6]};
	if (mime_build(&m, &out) != ERR_OK)
		return 1;
	return fwrite(out.data, 1, out.len, stdout) == out.len ? 0 : 2;
}
