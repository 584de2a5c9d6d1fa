/*
 * How often each uid has asked.  In the memory of the one process that owns the socket, not in the database
 * as the other throttles: who hammers at the socket must not make the database work, and who asks cannot
 * end the process.  Pure.
 */
#ifndef MCV_FCGI_SSO_RATE_H
#define MCV_FCGI_SSO_RATE_H

#include <stdint.h>

#include "lib/clock.h"

enum {
	SSO_RATE_WINDOW_S = 60,
	SSO_RATE_MAX = 20,          /* within that, of one uid */
	SSO_RATE_TRUSTED_MAX = 600, /* of one that asks for others */
	SSO_RATE_SEATS = 1024       /* uids remembered; the one that began first gives way */
};

struct sso_rate {
	struct sso_rate_seat {
		uint32_t uid;
		unsigned count; /* 0: free */
		mono_time begun;
	} seats[SSO_RATE_SEATS];
};

/* Count one more of uid.  0: go ahead; else the seconds until max may be asked again. */
unsigned sso_rate_count(struct sso_rate *r, uint32_t uid, unsigned max, mono_time now);

#endif
