#include "fcgi/sso_rate.h"

#include <stddef.h>

enum { WINDOW_MS = SSO_RATE_WINDOW_S * 1000 };

/* uid's, or a free one, or the one that began first. */
static struct sso_rate_seat *find(struct sso_rate *r, uint32_t uid)
{
	struct sso_rate_seat *best = NULL;

	for (size_t i = 0; i < SSO_RATE_SEATS; i++) {
		struct sso_rate_seat *s = &r->seats[i];

		if (s->count > 0 && s->uid == uid)
			return s;
		if (best == NULL ||
		    (best->count > 0 && (s->count == 0 || mono_diff_ms(s->begun, best->begun) > 0)))
			best = s;
	}
	best->count = 0;
	best->uid = uid;
	return best;
}

unsigned sso_rate_count(struct sso_rate *r, uint32_t uid, unsigned max, mono_time now)
{
	struct sso_rate_seat *s = find(r, uid);
	int64_t age_ms = mono_diff_ms(s->begun, now);

	if (s->count == 0 || age_ms >= WINDOW_MS) {
		s->count = 0;
		s->begun = now;
		age_ms = 0;
	}
	if (s->count >= max)
		return (unsigned)((WINDOW_MS - age_ms + 999) / 1000);
	s->count++;
	return 0;
}
