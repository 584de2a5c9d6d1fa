#include "worker/link.h"

#include "lib/buf.h"
#include "lib/log.h"
#include "lib/secretfile.h"

enum {
	BACKOFF_FIRST_MS = 200,
	BACKOFF_MAX_MS = 3000,
	FULL_MS = 5000,
	FULL_TELL_MS = 60000,
	PASSWORD_MAX = 1024,
};

static void went_down(struct link *l)
{
	if (!l->is_down) {
		log_warnx("lost the database: %s", db_error(l->db));
		l->is_down = true;
		l->backoff_ms = BACKOFF_FIRST_MS;
	}
	l->retry_at = mono_after(mono_now(), l->backoff_ms);
	l->backoff_ms = l->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : l->backoff_ms * 2;
}

enum err link_open(struct link *l, const struct conf *conf)
{
	AUTO_BUF struct buf why = BUF_INIT;
	struct buf password = BUF_INIT;
	struct db_options o = {
	    .socket = conf->database_socket,
	    .host = conf->database_host,
	    .port = (unsigned)conf->database_port,
	    .user = conf->database_user,
	    .database = conf->database_name,
	    .ca_file = conf->database_ca_file,
	    .timeout_s = LINK_TIMEOUT_S,
	};
	enum err e;

	*l = (struct link){.db = NULL};
	if (conf->database_password_file[0] != '\0') {
		e = secretfile_read_line(conf->database_password_file, PASSWORD_MAX, &password, &why);
		if (e != ERR_OK) {
			log_warnx("%s", why.data);
			buf_wipe(&password);
			return ERR_INVALID;
		}
		o.password = password.data;
	}
	e = db_open(&o, &l->db);
	buf_wipe(&password);
	if (e == ERR_UNAVAILABLE || e == ERR_UNCERTAIN || e == ERR_BUSY) {
		went_down(l);
		return ERR_OK;
	}
	if (e != ERR_OK)
		log_warnx("database: %s", db_error(l->db));
	return e;
}

void link_close(struct link *l)
{
	db_close(&l->db);
}

struct db *link_db(struct link *l)
{
	if (!l->is_down)
		return l->db;
	if (l->is_leaving || mono_left_ms(l->retry_at) > 0)
		return NULL;
	if (db_reconnect(l->db) != ERR_OK) {
		went_down(l);
		return NULL;
	}
	log_info("the database is back");
	l->is_down = false;
	return l->db;
}

static void was_full(struct link *l)
{
	l->full_until = mono_after(mono_now(), FULL_MS);
	if (mono_left_ms(l->full_told_at) > 0)
		return;
	log_warnx(
	    "the database's storage is full; no job is started until there is room: %s", db_error(l->db));
	l->full_told_at = mono_after(mono_now(), FULL_TELL_MS);
}

enum err link_note(struct link *l, enum err e)
{
	if (e == ERR_UNAVAILABLE || (e == ERR_UNCERTAIN && !db_is_connected(l->db)))
		went_down(l);
	else if (e == ERR_FULL)
		was_full(l);
	else if (e == ERR_INTERNAL)
		log_warnx("database: %s", db_error(l->db));
	return e;
}
