#include "worker/lease.h"

#include "lib/log.h"
#include "sql/store_queue.h"
#include "sql/store_worker.h"

enum { RETRY_MS = 250, FULL_RETRY_MS = 1000 };

mono_time lease_fence(const struct conf *conf, mono_time t)
{
	return mono_after(t, conf->fence_s * 1000);
}

int lease_due_ms(const struct lease *l)
{
	int renew = mono_left_ms(l->renew_at);
	int wishes = mono_left_ms(l->wishes_at);

	return renew < wishes ? renew : wishes;
}

static size_t list(struct queue_lease *leases, struct runner **runners, size_t count)
{
	if (count > QUEUE_RENEW_MAX)
		count = QUEUE_RENEW_MAX;
	for (size_t i = 0; i < count; i++)
		leases[i] = (struct queue_lease){.token = runner_token(runners[i])};
	return count;
}

static void tell(const struct queue_lease *leases, struct runner **runners, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (leases[i].is_lost)
			runner_wish(runners[i], WISH_LOST);
		else if (leases[i].is_cancel_wanted)
			runner_wish(runners[i], WISH_CANCEL);
	}
}

static enum err renew(struct lease *l, const struct conf *conf, struct link *db_link, struct db *db,
    uint64_t worker_id, struct runner **runners, size_t count)
{
	struct queue_lease leases[QUEUE_RENEW_MAX];
	mono_time asked = mono_now();
	enum err e = ERR_OK;

	count = list(leases, runners, count);
	if (count > 0)
		e = link_note(db_link, store_queue_renew(db, (unsigned)conf->lease_s, leases, count));
	if (e == ERR_OK) {
		for (size_t i = 0; i < count; i++)
			if (!leases[i].is_lost)
				runner_fence(runners[i], lease_fence(conf, asked));
		tell(leases, runners, count);
		l->renew_at = mono_after(asked, conf->renew_s * 1000);
		return link_note(db_link, store_worker_heartbeat(db, worker_id));
	}
	/* of full storage the link tells */
	if (e != ERR_FULL)
		log_warnx("leases could not be renewed: %s", err_text(e));
	l->renew_at = mono_after(mono_now(), e == ERR_FULL ? FULL_RETRY_MS : RETRY_MS);
	return e;
}

enum err lease_tick(struct lease *l, const struct conf *conf, struct link *db_link, uint64_t worker_id,
    struct runner **runners, size_t count)
{
	struct queue_lease leases[QUEUE_RENEW_MAX];
	struct db *db;
	enum err e;

	if (lease_due_ms(l) > 0)
		return ERR_OK;
	l->wishes_at = mono_after(mono_now(), conf->poll_ms);
	db = link_db(db_link);
	if (db == NULL)
		return ERR_UNAVAILABLE;
	if (mono_left_ms(l->renew_at) == 0)
		return renew(l, conf, db_link, db, worker_id, runners, count);
	count = list(leases, runners, count);
	if (count == 0)
		return ERR_OK;
	e = link_note(db_link, store_queue_wishes(db, leases, count));
	if (e == ERR_OK)
		tell(leases, runners, count);
	return e;
}
