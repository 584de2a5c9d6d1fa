/*
 * The notifier: a process of its own that sends what the outbox holds, so that a dead relay delays no claim,
 * no lease and no log.  The same program as the worker, started with --notifier; also --mail-test ADDRESS.
 */
#ifndef MCV_WORKER_NOTIFY_H
#define MCV_WORKER_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/conf.h"
#include "sql/store_outbox.h"

/* notify_batch, notify_suppress_s and whether there is a relay, for the transactions that end jobs. */
struct outbox_policy notify_policy(const struct conf *conf);

/* Seconds until the next try after so many failed ones (1 or more): a minute, doubled each time, at most four
 * hours. */
unsigned notify_backoff_s(unsigned attempts);

/*
 * Whether there is no other try after so many failed ones (1 or more) of a mail written age_s seconds ago:
 * the next would come more than a day later, and there were as many as a day has.  A mail that was held back
 * is young in tries, one whose notifier kept dying in age.
 */
enum { NOTIFY_GIVE_UP_S = 24 * 3600 };
bool notify_is_last_try(unsigned attempts, int64_t age_s);

/* Whether the command line is "--notifier -c FILE" or "--mail-test -c FILE ADDRESS"; notify_main() then runs
 * it. */
bool notify_is_asked_for(int argc, char **argv);

/* The exit status of the process: 0; 1: the test mail was not taken; 64: called wrongly; 78: configuration.
 */
int notify_main(int argc, char **argv);

#endif
