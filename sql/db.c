#include "sql/db.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mysql.h>
#include <mysqld_error.h>
#include <openssl/crypto.h>
#include <openssl/x509.h>

#include "lib/mem.h"
#include "lib/parse.h"
#include "sql/db_error.h"
#include "sql/db_value.h"

enum {
	CONNECT_TIMEOUT_S = 5,
	IO_TIMEOUT_S = 30,
	STATEMENTS_MAX = 160,
	PARAMS_MAX = 320,
	COLUMNS_MAX = 128,
	ERROR_MAX = 400
};

struct statement {
	char *sql;
	MYSQL_STMT *stmt;
	uint64_t used;
};

struct db {
	MYSQL *mysql; /* NULL while not connected */
	char *socket, *host, *user, *password, *database, *ca_file;
	unsigned port, timeout_s;
	bool in_transaction;
	bool lost;
	uint64_t clock; /* counts calls, for the statement used longest ago */
	uint64_t insert_id;
	unsigned last_errno;
	char error[ERROR_MAX];
	size_t statement_count;
	struct statement statements[STATEMENTS_MAX];
	MYSQL_BIND binds[PARAMS_MAX];
	char moments[PARAMS_MAX][DB_DATETIME_BYTES];
};

static enum err fail(struct db *db, unsigned code, const char *text, const char *sql, enum db_purpose purpose)
{
	enum err e;

	if (purpose == DB_CHANGE && !db->in_transaction)
		purpose = DB_COMMIT;
	e = db_error_map(code, purpose);
	db->last_errno = code;
	db_error_describe(db->error, sizeof(db->error), code, text, sql);
	if (db_error_is_gone(code)) {
		db->lost = true;
		db->in_transaction = false;
	}
	return e;
}

static void forget_statement(struct db *db, size_t i)
{
	mysql_stmt_close(db->statements[i].stmt);
	free(db->statements[i].sql);
	db->statements[i] = db->statements[--db->statement_count];
}

static void disconnect(struct db *db)
{
	while (db->statement_count > 0)
		forget_statement(db, db->statement_count - 1);
	if (db->mysql != NULL)
		mysql_close(db->mysql);
	db->mysql = NULL;
	db->in_transaction = false;
	db->lost = true;
}

static void set_options(struct db *db)
{
	unsigned connect_s = CONNECT_TIMEOUT_S, io_s = db->timeout_s, infile = 0;
	my_bool yes = 1, no = 0;
	enum mysql_protocol_type tcp = MYSQL_PROTOCOL_TCP;

	mysql_options(db->mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
	mysql_options(db->mysql, MYSQL_OPT_READ_TIMEOUT, &io_s);
	mysql_options(db->mysql, MYSQL_OPT_WRITE_TIMEOUT, &io_s);
	mysql_options(db->mysql, MYSQL_OPT_LOCAL_INFILE, &infile);
	mysql_options(db->mysql, MYSQL_OPT_RECONNECT, &no);
	mysql_options(db->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	if (db->host == NULL)
		return;
	/* else "localhost" would be the socket */
	mysql_options(db->mysql, MYSQL_OPT_PROTOCOL, &tcp);
	mysql_options(db->mysql, db->ca_file != NULL ? MYSQL_OPT_SSL_CA : MYSQL_OPT_SSL_CAPATH,
	    db->ca_file != NULL ? db->ca_file : X509_get_default_cert_dir());
	if (db->ca_file != NULL || !parse_is_loopback(db->host)) {
		mysql_options(db->mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
		mysql_options(db->mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
	}
}

static enum err set_session(struct db *db)
{
	static const char settings[] =
	    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
	    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', SESSION time_zone = '+00:00', "
	    "SESSION innodb_lock_wait_timeout = 5, SESSION idle_transaction_timeout = 30, SESSION autocommit "
	    "= 1, SESSION tx_isolation = 'READ-COMMITTED'";

	if (mysql_query(db->mysql, settings) != 0)
		return fail(db, mysql_errno(db->mysql), mysql_error(db->mysql), settings, DB_CONNECT);
	if (mysql_query(db->mysql, "SET SESSION wsrep_sync_wait = 1") != 0 &&
	    mysql_errno(db->mysql) != ER_UNKNOWN_SYSTEM_VARIABLE)
		return fail(db, mysql_errno(db->mysql), mysql_error(db->mysql), NULL, DB_CONNECT);
	return ERR_OK;
}

enum err db_reconnect(struct db *db)
{
	enum err e;

	disconnect(db);
	db->mysql = mysql_init(NULL);
	if (db->mysql == NULL)
		return ERR_INTERNAL;
	set_options(db);
	if (mysql_real_connect(
		db->mysql, db->host, db->user, db->password, db->database, db->port, db->socket, 0) == NULL) {
		e = fail(db, mysql_errno(db->mysql), mysql_error(db->mysql), NULL, DB_CONNECT);
		disconnect(db);
		return e == ERR_INTERNAL ? ERR_UNAVAILABLE : e;
	}
	db->lost = false;
	e = set_session(db);
	if (e != ERR_OK)
		disconnect(db);
	return e;
}

static char *copy_given(const char *s)
{
	return s != NULL && *s != '\0' ? mem_strdup(s) : NULL;
}

enum err db_open(const struct db_options *options, struct db **db_r)
{
	struct db *db = mem_alloc(sizeof(*db));
	const struct passwd *pw = getpwuid(geteuid());

	db->lost = true;
	db->host = copy_given(options->host);
	db->socket = db->host == NULL ? copy_given(options->socket) : NULL;
	db->user = copy_given(options->user);
	db->password = copy_given(options->password);
	db->database = copy_given(options->database);
	db->ca_file = copy_given(options->ca_file);
	db->timeout_s = options->timeout_s != 0 ? options->timeout_s : IO_TIMEOUT_S;
	db->port = options->port;
	if (db->user == NULL && pw != NULL)
		db->user = mem_strdup(pw->pw_name);
	*db_r = db;
	return db_reconnect(db);
}

void db_close(struct db **db)
{
	struct db *d = *db;

	if (d == NULL)
		return;
	char *const mine[] = {d->password, d->socket, d->host, d->user, d->database, d->ca_file};

	*db = NULL;
	disconnect(d);
	if (d->password != NULL)
		OPENSSL_cleanse(d->password, strlen(d->password));
	for (size_t i = 0; i < sizeof(mine) / sizeof(mine[0]); i++)
		free(mine[i]);
	free(d);
}

bool db_is_connected(const struct db *db)
{
	return db->mysql != NULL && !db->lost;
}

const char *db_error(const struct db *db)
{
	return db->error;
}

unsigned db_errno(const struct db *db)
{
	return db->last_errno;
}

uint64_t db_insert_id(const struct db *db)
{
	return db->insert_id;
}

/*
 * A cluster that prefers another node's transaction undoes ours; told with a statement that is being prepared
 * just then, it tells nobody (Galera 26.4.23), and what followed would stand alone.
 */
static enum err demand_transaction(struct db *db, const char *sql)
{
	if (!db->in_transaction || (db->mysql->server_status & SERVER_STATUS_IN_TRANS) != 0)
		return ERR_OK;
	return fail(db, ER_LOCK_DEADLOCK, "the transaction was undone", sql, DB_READ);
}

static enum err prepare(struct db *db, const char *sql, MYSQL_STMT **stmt_r)
{
	size_t oldest = 0;
	MYSQL_STMT *stmt;
	my_bool yes = 1;

	if (!db_is_connected(db))
		return ERR_UNAVAILABLE;
	for (size_t i = 0; i < db->statement_count; i++) {
		if (strcmp(db->statements[i].sql, sql) == 0) {
			db->statements[i].used = ++db->clock;
			*stmt_r = db->statements[i].stmt;
			return ERR_OK;
		}
		if (db->statements[i].used < db->statements[oldest].used)
			oldest = i;
	}
	if (db->statement_count == STATEMENTS_MAX)
		forget_statement(db, oldest);
	stmt = mysql_stmt_init(db->mysql);
	if (stmt == NULL)
		return ERR_INTERNAL;
	mysql_stmt_attr_set(stmt, STMT_ATTR_UPDATE_MAX_LENGTH, &yes);
	if (mysql_stmt_prepare(stmt, sql, strlen(sql)) != 0) {
		enum err e = fail(db, mysql_stmt_errno(stmt), mysql_stmt_error(stmt), sql, DB_READ);

		mysql_stmt_close(stmt);
		return e;
	}
	db->statements[db->statement_count++] = (struct statement){mem_strdup(sql), stmt, ++db->clock};
	*stmt_r = stmt;
	/* its answer does not say how the transaction stands */
	if (db->in_transaction && mysql_ping(db->mysql) != 0)
		return fail(db, mysql_errno(db->mysql), mysql_error(db->mysql), sql, DB_READ);
	return demand_transaction(db, sql);
}

static void bind_param(MYSQL_BIND *b, char *moment, const struct db_param *p)
{
	memset(b, 0, sizeof(*b));
	switch (p->type) {
	case DB_P_NULL: b->buffer_type = MYSQL_TYPE_NULL; break;
	case DB_P_U64:
	case DB_P_I64:
		b->buffer_type = MYSQL_TYPE_LONGLONG;
		b->buffer = (void *)&p->u;
		b->is_unsigned = p->type == DB_P_U64;
		break;
	case DB_P_BYTES:
		b->buffer_type = MYSQL_TYPE_STRING;
		b->buffer = (void *)p->b.p;
		b->buffer_length = p->b.len;
		break;
	case DB_P_TIME:
		db_value_datetime(p->i, moment);
		b->buffer_type = MYSQL_TYPE_STRING;
		b->buffer = moment;
		b->buffer_length = strlen(moment);
		break;
	}
}

static void forget(struct db *db, const MYSQL_STMT *stmt)
{
	size_t i = 0;

	while (db->statements[i].stmt != stmt)
		i++;
	forget_statement(db, i);
}

static enum err execute(struct db *db, const char *sql, const struct db_param *params, size_t count,
    enum db_purpose purpose, MYSQL_STMT **stmt_r)
{
	/* Twice, since a change of the schema may make the server forget a prepared statement. */
	for (int attempt = 0;; attempt++) {
		unsigned code;
		MYSQL_STMT *stmt = NULL;
		enum err e = prepare(db, sql, &stmt);

		if (e != ERR_OK)
			return e;
		if (count != mysql_stmt_param_count(stmt) || count > PARAMS_MAX)
			return fail(db, 0, "wrong number of parameters", sql, DB_READ);
		for (size_t i = 0; i < count; i++)
			bind_param(&db->binds[i], db->moments[i], &params[i]);
		if ((count == 0 || mysql_stmt_bind_param(stmt, db->binds) == 0) &&
		    mysql_stmt_execute(stmt) == 0) {
			*stmt_r = stmt;
			return ERR_OK;
		}
		code = mysql_stmt_errno(stmt);
		if (attempt == 0 && (code == ER_NEED_REPREPARE || code == ER_UNKNOWN_STMT_HANDLER)) {
			forget(db, stmt);
			continue;
		}
		return fail(db, code, mysql_stmt_error(stmt), sql, purpose);
	}
}

enum err db_exec(
    struct db *db, const char *sql, const struct db_param *params, size_t count, uint64_t *changed_r)
{
	MYSQL_STMT *stmt;
	enum err e = execute(db, sql, params, count, DB_CHANGE, &stmt);

	if (e != ERR_OK)
		return e;
	if (changed_r != NULL)
		*changed_r = mysql_stmt_affected_rows(stmt);
	db->insert_id = mysql_stmt_insert_id(stmt);
	return demand_transaction(db, sql);
}

/* Where one column of the row being fetched arrives. */
struct column {
	enum { COLUMN_INTEGER, COLUMN_TIME, COLUMN_BYTES } kind;
	long long i;
	MYSQL_TIME t;
	char *bytes;
	unsigned long len;
	my_bool is_null;
};

static void bind_column(struct arena *a, const MYSQL_FIELD *field, struct column *c, MYSQL_BIND *b)
{
	memset(b, 0, sizeof(*b));
	b->is_null = &c->is_null;
	switch (field->type) {
	case MYSQL_TYPE_TINY:
	case MYSQL_TYPE_SHORT:
	case MYSQL_TYPE_INT24:
	case MYSQL_TYPE_LONG:
	case MYSQL_TYPE_LONGLONG:
		c->kind = COLUMN_INTEGER;
		b->buffer_type = MYSQL_TYPE_LONGLONG;
		b->buffer = &c->i;
		b->is_unsigned = (field->flags & UNSIGNED_FLAG) != 0;
		break;
	case MYSQL_TYPE_DATETIME:
	case MYSQL_TYPE_TIMESTAMP:
		c->kind = COLUMN_TIME;
		b->buffer_type = MYSQL_TYPE_DATETIME;
		b->buffer = &c->t;
		break;
	default:
		c->kind = COLUMN_BYTES;
		c->bytes = arena_alloc(a, field->max_length + 1);
		b->buffer_type = MYSQL_TYPE_BLOB;
		b->buffer = c->bytes;
		b->buffer_length = field->max_length + 1;
		b->length = &c->len;
		break;
	}
}

static void take_value(struct arena *a, const struct column *c, struct db_value *v)
{
	v->is_null = c->is_null;
	if (c->is_null)
		return;
	switch (c->kind) {
	case COLUMN_INTEGER: v->i = c->i; break;
	case COLUMN_TIME:
		v->i = db_value_us(
		    c->t.year, c->t.month, c->t.day, c->t.hour, c->t.minute, c->t.second, c->t.second_part);
		break;
	case COLUMN_BYTES:
		v->bytes = arena_strndup(a, c->bytes, c->len);
		v->len = c->len;
		/* Sums come as DECIMAL. */
		v->i = strtoll(v->bytes, NULL, 10);
		break;
	}
}

static enum err fetch_all(
    struct db *db, struct arena *a, MYSQL_STMT *stmt, const char *sql, struct db_rows *rows_r)
{
	MYSQL_RES *meta;
	struct column *columns;
	struct db_value *values;
	unsigned n = mysql_stmt_field_count(stmt);
	size_t count;

	if (n == 0 || n > COLUMNS_MAX)
		return fail(db, 0, "not a query, or too many columns", sql, DB_READ);
	if (mysql_stmt_store_result(stmt) != 0)
		return fail(db, mysql_stmt_errno(stmt), mysql_stmt_error(stmt), sql, DB_READ);
	count = mysql_stmt_num_rows(stmt);
	columns = arena_array(a, n, sizeof(*columns));
	values = arena_array(a, count * n, sizeof(*values));
	meta = mysql_stmt_result_metadata(stmt);
	for (unsigned i = 0; meta != NULL && i < n; i++)
		bind_column(a, mysql_fetch_field_direct(meta, i), &columns[i], &db->binds[i]);
	if (meta != NULL)
		mysql_free_result(meta);
	if (meta == NULL || mysql_stmt_bind_result(stmt, db->binds) != 0)
		return fail(db, mysql_stmt_errno(stmt), mysql_stmt_error(stmt), sql, DB_READ);
	for (size_t row = 0; row < count; row++) {
		if (mysql_stmt_fetch(stmt) != 0)
			return fail(db, mysql_stmt_errno(stmt), mysql_stmt_error(stmt), sql, DB_READ);
		for (unsigned i = 0; i < n; i++)
			take_value(a, &columns[i], &values[row * n + i]);
	}
	*rows_r = (struct db_rows){.count = count, .columns = n, .values = values};
	return ERR_OK;
}

enum err db_query(struct db *db, struct arena *a, const char *sql, const struct db_param *params,
    size_t count, struct db_rows *rows_r)
{
	MYSQL_STMT *stmt = NULL;
	enum err e = execute(db, sql, params, count, DB_READ, &stmt);

	if (e != ERR_OK)
		return e;
	e = fetch_all(db, a, stmt, sql, rows_r);
	/* After a failure, as a deadlock, libmariadb would wait for the statement's rows at its next use. */
	if (e == ERR_OK)
		mysql_stmt_free_result(stmt);
	else
		forget(db, stmt);
	return e == ERR_OK ? demand_transaction(db, sql) : e;
}

static enum err run_text(struct db *db, const char *sql, enum db_purpose purpose)
{
	if (!db_is_connected(db))
		return ERR_UNAVAILABLE;
	if (mysql_query(db->mysql, sql) != 0)
		return fail(db, mysql_errno(db->mysql), mysql_error(db->mysql), sql, purpose);
	return ERR_OK;
}

enum err db_begin(struct db *db)
{
	enum err e;

	if (db->in_transaction)
		return fail(db, 0, "transactions do not nest", NULL, DB_READ);
	e = run_text(db, "START TRANSACTION", DB_READ);
	db->in_transaction = e == ERR_OK;
	return e;
}

enum err db_commit(struct db *db)
{
	enum err e;

	if (!db->in_transaction)
		return db_is_connected(db) ? ERR_INTERNAL : ERR_UNAVAILABLE;
	e = run_text(db, "COMMIT", DB_COMMIT);
	if (e == ERR_OK)
		db->in_transaction = false;
	else
		db_rollback(db);
	return e;
}

void db_rollback(struct db *db)
{
	enum err e;

	if (!db->in_transaction)
		return;
	e = run_text(db, "ROLLBACK", DB_READ);
	if (e == ERR_BUSY) /* a cluster has rolled it back already, and says so first */
		e = run_text(db, "ROLLBACK", DB_READ);
	/* A connection that cannot roll back is dropped: the server rolls back then. */
	db->lost = db->lost || e != ERR_OK;
	db->in_transaction = false;
}

enum err db_exec_text(struct db *db, const char *sql)
{
	return run_text(db, sql, DB_CHANGE);
}
