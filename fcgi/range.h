/* The Range header (RFC 9110 section 14), one range of bytes.  Pure. */
#ifndef MCV_FCGI_RANGE_H
#define MCV_FCGI_RANGE_H

#include <stdint.h>

struct range {
	uint64_t first, length;
};

enum range_kind {
	RANGE_WHOLE, /* no header, another unit, malformed, or several ranges: send all (section 14.2) */
	RANGE_PART,  /* range_r is set; 0 < length, within size */
	RANGE_BEYOND /* well-formed, but nothing of it exists: 416 */
};

/* header may be NULL; size: bytes there are. */
enum range_kind range_parse(const char *header, uint64_t size, struct range *range_r);

#endif
