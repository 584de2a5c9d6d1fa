#include "lib/clock.h"

#include <limits.h>
#include <stdlib.h>
#include <time.h>

mono_time mono_now(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_BOOTTIME, &ts) != 0)
		abort();
	return (mono_time){.ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000};
}

mono_time mono_after(mono_time t, int64_t ms)
{
	return (mono_time){.ms = t.ms + ms};
}

int64_t mono_diff_ms(mono_time a, mono_time b)
{
	return b.ms - a.ms;
}

int mono_left_ms(mono_time deadline)
{
	int64_t left = mono_diff_ms(mono_now(), deadline);

	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

int64_t unix_now_s(void)
{
	return (int64_t)time(NULL);
}
