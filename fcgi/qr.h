/* A text as a QR code (ISO/IEC 18004) that a template can draw.  Pure; the only user of libqrencode. */
#ifndef MCV_FCGI_QR_H
#define MCV_FCGI_QR_H

#include "lib/arena.h"
#include "lib/err.h"

enum { QR_QUIET = 4 }; /* modules that must be light all around */

/*
 * The dark modules as the data of an SVG path, one unit a module, the quiet zone counted in; *size_r: how
 * many units the square is wide.  Lives in a.  ERR_OK; ERR_TOO_BIG: no QR code holds text.
 */
enum err qr_path(struct arena *a, const char *text, const char **path_r, unsigned *size_r) MUST_CHECK;

#endif
