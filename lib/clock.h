/*
 * Time.  Deadlines and durations use the boottime clock, which neither jumps nor stops while the machine
 * sleeps (a lease must not outlive a suspended laptop); calendar time is only for people and for message
 * headers. Leases themselves are judged by the database's clock, never by ours.
 */
#ifndef MCV_LIB_CLOCK_H
#define MCV_LIB_CLOCK_H

#include <stdint.h>

/* A point on CLOCK_BOOTTIME in milliseconds; a type of its own so that it cannot be mixed with calendar time.
 */
typedef struct {
	int64_t ms;
} mono_time;

mono_time mono_now(void);

/* t plus ms milliseconds. */
mono_time mono_after(mono_time t, int64_t ms);

/* Milliseconds from a to b; negative if b is before a. */
int64_t mono_diff_ms(mono_time a, mono_time b);

/* Milliseconds left until deadline as poll(2) wants them: never negative, never more than INT_MAX. */
int mono_left_ms(mono_time deadline);

/* Calendar time, seconds since 1970 UTC. */
int64_t unix_now_s(void);

#endif
