#include "sql/connect.h"

#include "lib/secretfile.h"

enum { PASSWORD_MAX_BYTES = 1024 };

enum err connect_database(const struct conf *conf, struct db **db_r, struct buf *why)
{
	struct buf password = BUF_INIT;
	enum err e = ERR_OK;

	*db_r = NULL;
	if (conf->database_password_file[0] != '\0')
		e = secretfile_read_line(conf->database_password_file, PASSWORD_MAX_BYTES, &password, why);
	if (e == ERR_OK) {
		const struct db_options options = {
		    .socket = conf->database_socket,
		    .host = conf->database_host,
		    .port = (unsigned)conf->database_port,
		    .user = conf->database_user,
		    .password = password.data,
		    .database = conf->database_name,
		    .ca_file = conf->database_ca_file,
		};

		e = db_open(&options, db_r);
		if (e != ERR_OK)
			buf_addf(why, "cannot use the database %s at %s: %s", conf->database_name,
			    conf->database_host[0] ? conf->database_host : conf->database_socket,
			    db_error(*db_r));
	}
	buf_wipe(&password);
	return e;
}

enum err connect_ping(struct db *db)
{
	return db_exec_text(db, "DO 1") == ERR_OK ? ERR_OK : ERR_UNAVAILABLE;
}
