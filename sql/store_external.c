#include "sql/store_external.h"

#include <string.h>

#include "sql/admin.h"
#include "sql/tx.h"

/* By enum external_of; the two tables are alike but for whom they name. */
static const struct {
	const char *find, *list, *add, *remove, *remove_all;
} statements[] = {
    {"SELECT account_id FROM account_external WHERE issuer = ? AND external_id = ?",
	"SELECT issuer, external_id FROM account_external WHERE account_id = ? ORDER BY issuer",
	"INSERT INTO account_external (issuer, external_id, account_id) VALUES (?, ?, ?)",
	"DELETE FROM account_external WHERE account_id = ? AND issuer = ?",
	"DELETE FROM account_external WHERE account_id = ?"},
    {"SELECT user_id FROM user_external WHERE issuer = ? AND external_id = ?",
	"SELECT issuer, external_id FROM user_external WHERE user_id = ? ORDER BY issuer",
	"INSERT INTO user_external (issuer, external_id, user_id) VALUES (?, ?, ?)",
	"DELETE FROM user_external WHERE user_id = ? AND issuer = ?",
	"DELETE FROM user_external WHERE user_id = ?"},
};

bool external_issuer_fits(const char *issuer)
{
	size_t len = issuer != NULL ? strlen(issuer) : 0;

	return len > 0 && len <= ISSUER_MAX_BYTES &&
	       strspn(issuer, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

bool external_id_fits(const char *id)
{
	return id != NULL && text_fits(id, 1, EXTERNAL_ID_MAX_CHARS);
}

enum err external_parse(
    struct arena *a, const char *text, struct external **list_r, size_t *count_r, const char **bad_r)
{
	struct external *list = arena_array(a, EXTERNALS_MAX, sizeof(*list));
	char *save = NULL, *copy = arena_strdup(a, text);
	size_t count = 0;

	for (char *line = strtok_r(copy, "\r\n", &save); line != NULL; line = strtok_r(NULL, "\r\n", &save)) {
		size_t len;
		char *id;

		line += strspn(line, " \t");
		len = strlen(line);
		while (len > 0 && strchr(" \t", line[len - 1]) != NULL)
			line[--len] = '\0';
		if (len == 0)
			continue;
		*bad_r = arena_strdup(a, line);
		id = line + strcspn(line, " \t");
		if (*id == '\0' || count == EXTERNALS_MAX)
			return ERR_INVALID;
		*id++ = '\0';
		id += strspn(id, " \t");
		if (!external_issuer_fits(line) || !external_id_fits(id))
			return ERR_INVALID;
		list[count++] = (struct external){line, id};
	}
	*list_r = list;
	*count_r = count;
	return ERR_OK;
}

enum err store_external_find(
    struct db *db, enum external_of of, const char *issuer, const char *id, uint64_t *owner_r)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e;

	/* what cannot be stored is nobody's, and need not be compared with columns of another character set
	 */
	if (!external_issuer_fits(issuer) || !external_id_fits(id))
		return ERR_NOT_FOUND;
	e = db_query_one(db, a, statements[of].find, DB_ARGS(db_p_str(issuer), db_p_str(id)), &rows);
	if (e == ERR_OK)
		*owner_r = db_u64(&rows, 0, 0);
	return e;
}

enum err store_external_list(struct db *db, struct arena *a, enum external_of of, uint64_t owner,
    struct external **list_r, size_t *count_r)
{
	struct db_rows rows;
	struct external *list;
	enum err e = db_query(db, a, statements[of].list, DB_ARGS(db_p_u64(owner)), &rows);

	if (e != ERR_OK)
		return e;
	list = arena_array(a, rows.count + 1, sizeof(*list));
	for (size_t i = 0; i < rows.count; i++)
		list[i] = (struct external){db_str(&rows, i, 0), db_str(&rows, i, 1)};
	*list_r = list;
	*count_r = rows.count;
	return ERR_OK;
}

static enum err add(struct db *db, enum external_of of, uint64_t owner, const char *issuer, const char *id)
{
	if (!external_issuer_fits(issuer) || !external_id_fits(id))
		return ERR_INVALID;
	return db_exec(
	    db, statements[of].add, DB_ARGS(db_p_str(issuer), db_p_str(id), db_p_u64(owner)), NULL);
}

enum err store_external_bind(struct db *db, uint64_t account_id, const char *id, uint32_t uid)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows rows;
	enum err e = db_exec(db,
	    "UPDATE account_external SET uid = ? WHERE issuer = ? AND external_id = ? AND account_id = ?"
	    " AND (uid IS NULL OR uid = ?)",
	    DB_ARGS(db_p_u64(uid), db_p_str(ISSUER_LOCAL), db_p_str(id), db_p_u64(account_id), db_p_u64(uid)),
	    NULL);

	/* what stands there now decides: an update that changes nothing counts no row; locked, it is not what
	 * the transaction saw first */
	if (e == ERR_OK)
		e = db_query_one(db, a,
		    "SELECT uid FROM account_external WHERE issuer = ? AND external_id = ? AND account_id = ?"
		    " LOCK IN SHARE MODE",
		    DB_ARGS(db_p_str(ISSUER_LOCAL), db_p_str(id), db_p_u64(account_id)), &rows);
	if (e == ERR_NOT_FOUND)
		return ERR_BUSY;
	if (e != ERR_OK)
		return e;
	return !db_is_null(&rows, 0, 0) && db_u64(&rows, 0, 0) == uid ? ERR_OK : ERR_DENIED;
}

/* Whose this machine's name of an account is; count 0: nobody's.  What is saved is removed first. */
static enum err read_bound(
    struct db *db, struct arena *a, enum external_of of, uint64_t owner, struct db_rows *rows_r)
{
	*rows_r = (struct db_rows){0};
	if (of != EXTERNAL_ACCOUNT)
		return ERR_OK;
	return db_query(db, a,
	    "SELECT external_id, uid FROM account_external WHERE account_id = ? AND issuer = ?"
	    " AND uid IS NOT NULL FOR UPDATE",
	    DB_ARGS(db_p_u64(owner), db_p_str(ISSUER_LOCAL)), rows_r);
}

/* Saving an account must not give it to whoever comes next. */
static enum err write_bound(struct db *db, uint64_t owner, const struct db_rows *rows)
{
	if (rows->count == 0)
		return ERR_OK;
	return db_exec(db,
	    "UPDATE account_external SET uid = ? WHERE account_id = ? AND issuer = ? AND external_id = ?",
	    DB_ARGS(db_p_u64(db_u64(rows, 0, 1)), db_p_u64(owner), db_p_str(ISSUER_LOCAL),
		db_p_str(db_str(rows, 0, 0))),
	    NULL);
}

enum err store_external_set(
    struct db *db, enum external_of of, uint64_t owner, const char *issuer, const char *id)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows bound;
	enum err e = external_issuer_fits(issuer) ? read_bound(db, a, of, owner, &bound) : ERR_INVALID;

	if (e == ERR_OK)
		e = db_exec(db, statements[of].remove, DB_ARGS(db_p_u64(owner), db_p_str(issuer)), NULL);
	if (e == ERR_OK && id != NULL && id[0] != '\0')
		e = add(db, of, owner, issuer, id);
	return e == ERR_OK ? write_bound(db, owner, &bound) : e;
}

enum err store_external_set_all(
    struct db *db, enum external_of of, uint64_t owner, const struct external *list, size_t count)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct db_rows bound;
	enum err e = count <= EXTERNALS_MAX ? read_bound(db, a, of, owner, &bound) : ERR_INVALID;

	if (e == ERR_OK)
		e = db_exec(db, statements[of].remove_all, DB_ARGS(db_p_u64(owner)), NULL);
	for (size_t i = 0; e == ERR_OK && i < count; i++)
		e = add(db, of, owner, list[i].issuer, list[i].id);
	return e == ERR_OK ? write_bound(db, owner, &bound) : e;
}

struct saving {
	const struct viewer *v;
	uint64_t user_id;
	const struct external *list;
	size_t count;
};

static enum err save(struct db *db, void *ctx)
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct saving *s = ctx;
	struct db_rows rows;
	enum err e = admin_check(db, s->v);

	if (e == ERR_OK)
		e = db_query_one(db, a,
		    "SELECT u.id FROM user u JOIN account a ON a.id = u.account_id WHERE u.id = ?"
		    " AND a.closed_at IS NULL",
		    DB_ARGS(db_p_u64(s->user_id)), &rows);
	return e == ERR_OK ? store_external_set_all(db, EXTERNAL_USER, s->user_id, s->list, s->count) : e;
}

enum err store_external_save_user(
    struct db *db, const struct viewer *v, uint64_t user_id, const struct external *list, size_t count)
{
	return tx_run(db, save, &(struct saving){v, user_id, list, count});
}
