/*
 * Text made safe for the place it is put in.  One function for each place; all append to out.
 */
#ifndef MCV_LIB_ESCAPE_H
#define MCV_LIB_ESCAPE_H

#include <stddef.h>

#include "lib/buf.h"

/*
 * For HTML text and for attribute values in quotes of either kind: & < > " ' become &amp; &lt; &gt; &quot;
 * &#39;.  Not for unquoted attributes, <script> or <style>.
 */
void escape_html(struct buf *out, const char *s, size_t len);

/* For one part of a URL (RFC 3986): every byte but letters, digits and "-._~" becomes %XX. */
void escape_url(struct buf *out, const char *s, size_t len);

/*
 * The value of a Content-Disposition header that saves under this name (RFC 6266): filename= with every byte
 * but ASCII letters, digits, '.', '-' and '_' replaced by '_', and, where that lost anything, filename*= with
 * the whole of it (RFC 8187).  Neither can end the header.
 */
void escape_attachment(struct buf *out, const char *filename);

#endif
