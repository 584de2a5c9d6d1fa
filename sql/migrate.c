#include "sql/migrate.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "lib/buf.h"

enum {
	FILES_MAX = 999,
	FILE_BYTES_MAX = 1 << 20,
	SHA256_BYTES = 32,
	LOCK_WAIT_S = 20,
	ER_NO_SUCH_TABLE = 1146
};

struct file {
	unsigned version;
	const char *name; /* "initial" */
	const char *path;
	const char *text;
	uint8_t sha256[SHA256_BYTES];
};

/* What the directory and the database say, side by side. */
struct state {
	struct file *files;
	size_t file_count;
	struct db_rows applied; /* version, name, sha256, applied_at */
};

static int is_migration(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return len > 9 && strspn(d->d_name, "0123456789") == 4 && d->d_name[4] == '_' &&
	       strcmp(d->d_name + len - 4, ".sql") == 0;
}

static enum err read_file(struct arena *a, struct file *f, const char **why_r)
{
	FILE *in = fopen(f->path, "re");
	char *text;
	size_t len;

	if (in == NULL) {
		*why_r = arena_printf(a, "%s cannot be read", f->path);
		return ERR_IO;
	}
	text = arena_alloc(a, FILE_BYTES_MAX + 1);
	len = fread(text, 1, FILE_BYTES_MAX + 1, in);
	if (ferror(in) || len > FILE_BYTES_MAX) {
		fclose(in);
		*why_r = arena_printf(a, "%s cannot be read, or is too long", f->path);
		return ERR_IO;
	}
	fclose(in);
	text[len] = '\0';
	f->text = text;
	if (EVP_Digest(text, len, f->sha256, NULL, EVP_sha256(), NULL) != 1)
		return ERR_CRYPTO;
	return ERR_OK;
}

static enum err read_files(struct arena *a, const char *dir, struct state *s, const char **why_r)
{
	struct dirent **entries;
	enum err e = ERR_OK;
	int n = scandir(dir, &entries, is_migration, alphasort);

	if (n < 0) {
		*why_r = arena_printf(a, "%s cannot be read", dir);
		return ERR_IO;
	}
	if (n == 0 || n > FILES_MAX) {
		*why_r = arena_printf(a, "%s holds no migrations", dir);
		e = ERR_INVALID;
	}
	s->files = arena_array(a, (size_t)n, sizeof(*s->files));
	for (int i = 0; i < n; i++) {
		struct file *f = &s->files[i];
		const char *name = entries[i]->d_name;

		f->version = (unsigned)strtoul(name, NULL, 10);
		f->name = arena_strndup(a, name + 5, strlen(name) - 9);
		f->path = arena_printf(a, "%s/%s", dir, name);
		if (e == ERR_OK && f->version != (unsigned)i + 1) {
			*why_r = arena_printf(a, "%s: number %u was expected", f->path, (unsigned)i + 1);
			e = ERR_INVALID;
		}
		if (e == ERR_OK)
			e = read_file(a, f, why_r);
		free(entries[i]);
	}
	free(entries);
	s->file_count = (size_t)n;
	return e;
}

static enum err read_applied(struct db *db, struct arena *a, struct db_rows *applied_r)
{
	enum err e =
	    db_query(db, a, "SELECT version, name, sha256, applied_at FROM schema_migration ORDER BY version",
		DB_NONE, applied_r);

	if (e == ERR_INTERNAL && db_errno(db) == ER_NO_SUCH_TABLE) {
		*applied_r = (struct db_rows){0};
		return ERR_OK;
	}
	return e;
}

static bool is_same(const struct file *f, const struct db_rows *applied, size_t row)
{
	size_t len;
	const void *sha256 = db_blob(applied, row, 2, &len);

	return len == SHA256_BYTES && memcmp(sha256, f->sha256, SHA256_BYTES) == 0;
}

static enum err read_state(
    struct db *db, struct arena *a, const char *dir, struct state *s, const char **why_r)
{
	enum err e = read_files(a, dir, s, why_r);

	return e == ERR_OK ? read_applied(db, a, &s->applied) : e;
}

enum err migrate_status(struct db *db, struct arena *a, const char *dir, struct migration **list_r,
    size_t *count_r, const char **why_r)
{
	struct state s = {0};
	struct migration *list;
	size_t n = 0;
	enum err e;

	*why_r = "";
	e = read_state(db, a, dir, &s, why_r);
	if (e != ERR_OK)
		return e;
	list = arena_array(a, s.file_count + s.applied.count, sizeof(*list));
	for (; n < s.file_count; n++)
		list[n] = (struct migration){.version = s.files[n].version, .name = s.files[n].name};
	for (size_t row = 0; row < s.applied.count; row++) {
		unsigned version = (unsigned)db_u64(&s.applied, row, 0);
		bool is_known = version >= 1 && version <= s.file_count;
		struct migration *m = is_known ? &list[version - 1] : &list[n++];

		m->version = version;
		m->name = db_str(&s.applied, row, 1);
		m->applied_at = db_time_s(&s.applied, row, 3);
		m->is_unknown = !is_known;
		m->is_changed = is_known && !is_same(&s.files[version - 1], &s.applied, row);
	}
	*list_r = list;
	*count_r = n;
	return ERR_OK;
}

/* Statements end with ; at a line's end. */
static enum err run_file(struct db *db, struct arena *a, const struct file *f, const char **why_r)
{
	AUTO_BUF struct buf statement = BUF_INIT;
	unsigned number = 1;

	for (const char *line = f->text; *line != '\0';) {
		size_t len = strcspn(line, "\n");
		bool is_comment = strncmp(line, "--", 2) == 0;

		if (!is_comment && (len > 0 || statement.len > 0)) {
			buf_add(&statement, line, len);
			buf_addc(&statement, '\n');
		}
		if (!is_comment && len > 0 && line[len - 1] == ';') {
			enum err e = db_exec_text(db, statement.data);

			if (e != ERR_OK) {
				*why_r = arena_printf(
				    a, "%s: statement %u failed: %s", f->path, number, db_error(db));
				return e == ERR_CONFLICT ? ERR_INTERNAL : e;
			}
			buf_clear(&statement);
			number++;
		}
		line += len;
		line += *line == '\n';
	}
	if (statement.len > 0) {
		*why_r = arena_printf(a, "%s: the last statement does not end with ;", f->path);
		return ERR_INVALID;
	}
	return ERR_OK;
}

static enum err apply(struct db *db, struct arena *a, const struct file *f, const char **why_r)
{
	enum err e = run_file(db, a, f, why_r);

	if (e != ERR_OK)
		return e;
	return db_exec(db,
	    "INSERT INTO schema_migration (version, name, sha256, applied_at) VALUES (?, ?, ?, "
	    "UTC_TIMESTAMP(6))",
	    DB_ARGS(db_p_u64(f->version), db_p_str(f->name), db_p_blob(f->sha256, SHA256_BYTES)), NULL);
}

static enum err run_locked(
    struct db *db, struct arena *a, const char *dir, unsigned *applied_r, const char **why_r)
{
	struct state s = {0};
	enum err e =
	    db_exec_text(db, "CREATE TABLE IF NOT EXISTS schema_migration ("
			     "version INT UNSIGNED NOT NULL PRIMARY KEY, name VARCHAR(100) NOT NULL, "
			     "sha256 BINARY(32) NOT NULL, applied_at DATETIME(6) NOT NULL"
			     ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin");

	if (e == ERR_OK)
		e = read_state(db, a, dir, &s, why_r);
	if (e != ERR_OK)
		return e;
	for (size_t row = 0; row < s.applied.count; row++) {
		uint64_t version = db_u64(&s.applied, row, 0);

		if (version < 1 || version > s.file_count) {
			*why_r = arena_printf(a,
			    "the database has migration %04u_%s, which %s does not: it is newer than this "
			    "program",
			    (unsigned)version, db_str(&s.applied, row, 1), dir);
			return ERR_CONFLICT;
		}
		if (!is_same(&s.files[version - 1], &s.applied, row)) {
			*why_r = arena_printf(
			    a, "%s is not the file that was applied: restore it", s.files[version - 1].path);
			return ERR_CONFLICT;
		}
	}
	for (size_t i = s.applied.count; i < s.file_count; i++) {
		e = apply(db, a, &s.files[i], why_r);
		if (e != ERR_OK)
			return e;
		(*applied_r)++;
	}
	return ERR_OK;
}

enum err migrate_run(struct db *db, struct arena *a, const char *dir, unsigned *applied_r, const char **why_r)
{
	struct db_rows rows;
	enum err e;

	*why_r = "";
	*applied_r = 0;
	e = db_query_one(db, a, "SELECT GET_LOCK(CONCAT('mailconvoy.migrate.', DATABASE()), ?)",
	    DB_ARGS(db_p_u64(LOCK_WAIT_S)), &rows);
	if (e == ERR_OK && db_i64(&rows, 0, 0) != 1)
		e = ERR_BUSY;
	if (e == ERR_BUSY)
		*why_r = "another migration of this database is running";
	if (e == ERR_OK) {
		e = run_locked(db, a, dir, applied_r, why_r);
		/* A lost connection has let go of it already. */
		if (db_query(db, a, "SELECT RELEASE_LOCK(CONCAT('mailconvoy.migrate.', DATABASE()))", DB_NONE,
			&rows) != ERR_OK &&
		    e == ERR_OK)
			e = ERR_UNAVAILABLE;
	}
	if (e != ERR_OK && **why_r == '\0')
		*why_r = arena_strdup(a, db_error(db));
	return e;
}

enum err migrate_check(struct db *db, struct arena *a, const char **why_r)
{
	struct db_rows applied;
	enum err e = read_applied(db, a, &applied);
	unsigned newest = 0;

	*why_r = "";
	if (e != ERR_OK) {
		*why_r = arena_strdup(a, db_error(db));
		return e;
	}
	if (applied.count > 0)
		newest = (unsigned)db_u64(&applied, applied.count - 1, 0);
	if (newest == MCV_SCHEMA_VERSION && applied.count == MCV_SCHEMA_VERSION)
		return ERR_OK;
	if (newest > MCV_SCHEMA_VERSION)
		*why_r = arena_printf(a,
		    "the database has schema version %u, this program knows %u: upgrade mailconvoy", newest,
		    MCV_SCHEMA_VERSION);
	else
		*why_r = arena_printf(a,
		    "the database has schema version %u, this program needs %u: run 'mailconvoyctl db "
		    "migrate'",
		    newest, MCV_SCHEMA_VERSION);
	return ERR_CONFLICT;
}
