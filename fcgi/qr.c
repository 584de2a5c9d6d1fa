#include "fcgi/qr.h"

#include <errno.h>
#include <qrencode.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/log.h"

/* A row's dark runs, one rectangle each. */
static void add_row(struct buf *b, const unsigned char *row, unsigned width, unsigned y)
{
	for (unsigned x = 0; x < width; x++) {
		unsigned begin = x;

		while (x < width && (row[x] & 1) != 0)
			x++;
		if (x > begin)
			buf_addf(b, "M%u %uh%uv1H%uz", begin + QR_QUIET, y + QR_QUIET, x - begin,
			    begin + QR_QUIET);
	}
}

enum err qr_path(struct arena *a, const char *text, const char **path_r, unsigned *size_r)
{
	struct buf b = BUF_INIT;
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	unsigned width;

	if (code == NULL && errno == ERANGE)
		return ERR_TOO_BIG;
	if (code == NULL)
		log_fatal("libqrencode: %s", strerror(errno));
	width = (unsigned)code->width;
	for (unsigned y = 0; y < width; y++)
		add_row(&b, code->data + (size_t)y * width, width, y);
	explicit_bzero(code->data, (size_t)width * width);
	QRcode_free(code);
	*path_r = arena_strndup(a, b.data, b.len);
	*size_r = width + 2 * QR_QUIET;
	buf_wipe(&b);
	return ERR_OK;
}
