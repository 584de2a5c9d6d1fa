#include "sql/store_token.h"

#include <string.h>

#include "lib/netmask.h"
#include "sql/admin.h"
#include "sql/store_external.h"
#include "sql/tx.h"

enum { LIST_MAX = 500, NOTE_S = 30, ADDRESS_MAX_CHARS = 64, NETWORKS_MAX_CHARS = 2000 };

/* The list of networks in text, which is cut up; NULL when one is none, or there are too many. */
static struct netmask_list *read_networks(struct arena *a, char *text)
{
	char **items = arena_array(a, strlen(text) / 2 + 1, sizeof(*items));
	struct netmask_list *list = NULL;
	char *save = NULL;
	size_t count = 0, bad;

	for (char *one = strtok_r(text, ", ", &save); one != NULL; one = strtok_r(NULL, ", ", &save))
		items[count++] = one;
	if (count > TOKEN_NETWORKS_MAX ||
	    netmask_list_new((const char *const *)items, count, &list, &bad) != ERR_OK)
		return NULL;
	return list;
}

bool store_token_is_from(const char *networks, const char *address)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct netmask_list *list;
	bool good;

	if (networks == NULL)
		return true;
	list = read_networks(a, arena_strdup(a, networks));
	good = list != NULL && netmask_list_has_text(list, address);
	netmask_list_free(&list);
	return good;
}

static bool networks_fit(const char *networks)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct netmask_list *list;
	bool good;

	if (networks == NULL)
		return true;
	list = read_networks(a, arena_strdup(a, networks));
	good = list != NULL;
	netmask_list_free(&list);
	return good;
}

struct creation {
	const struct viewer *v;
	const struct api_token_fields *f;
	const uint8_t *hash;
	uint64_t id;
};

/* NULL: none. */
static const char *chosen_issuer(const struct api_token_fields *f)
{
	return f->issuer != NULL && f->issuer[0] != '\0' ? f->issuer : NULL;
}

bool store_token_issuer_fits(const char *issuer)
{
	return external_issuer_fits(issuer) && strcmp(issuer, ISSUER_LOCAL) != 0 &&
	       strncmp(issuer, ISSUER_ACCOUNT_PREFIX, strlen(ISSUER_ACCOUNT_PREFIX)) != 0;
}

static const char *issuer_of(struct arena *a, const struct creation *c)
{
	if (chosen_issuer(c->f) != NULL)
		return c->f->issuer;
	return c->f->is_installation
		   ? ISSUER_API
		   : arena_printf(a, ISSUER_ACCOUNT_PREFIX "%llu", (unsigned long long)c->v->account_id);
}

static enum err create(struct db *db, void *ctx)
{
	AUTO_ARENA struct arena *a = arena_new();
	struct creation *c = ctx;
	const struct api_token_fields *f = c->f;
	const char *networks = f->networks != NULL && f->networks[0] != '\0' ? f->networks : NULL;
	bool is_admin = f->is_installation || chosen_issuer(f) != NULL;
	enum err e = is_admin ? admin_check(db, c->v) : ERR_OK;

	if (e == ERR_OK)
		e = db_exec(db,
		    "INSERT INTO api_token (account_id, name, token_hash, scopes, issuer, networks, "
		    "created_by,"
		    " created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(6),"
		    " IF(? = 0, NULL, UTC_TIMESTAMP(6) + INTERVAL ? DAY))",
		    DB_ARGS(db_p_id(f->is_installation ? 0 : c->v->account_id), db_p_str(f->name),
			db_p_blob(c->hash, TOKEN_ID_HASH_BYTES), db_p_str(scope_list(a, f->scopes)),
			db_p_str(issuer_of(a, c)), db_p_str(networks), db_p_id(c->v->user_id),
			db_p_u64(f->days), db_p_u64(f->days)),
		    NULL);
	if (e == ERR_OK)
		c->id = db_insert_id(db);
	return e;
}

enum err store_token_create(struct db *db, const struct viewer *v, const struct api_token_fields *f,
    const uint8_t hash[TOKEN_ID_HASH_BYTES], uint64_t *id_r)
{
	struct creation c = {.v = v, .f = f, .hash = hash};
	enum err e;

	if (!text_fits(f->name, 1, TOKEN_NAME_MAX_CHARS) || !text_fits(f->networks, 0, NETWORKS_MAX_CHARS) ||
	    !networks_fit(f->networks) || (chosen_issuer(f) != NULL && !store_token_issuer_fits(f->issuer)) ||
	    f->scopes == 0 || (f->scopes & ~(unsigned)SCOPE_ALL) != 0 || f->days > TOKEN_DAYS_MAX)
		return ERR_INVALID;
	if (!viewer_is_admin(v) && (f->is_installation || chosen_issuer(f) != NULL))
		return ERR_DENIED;
	if (!f->is_installation && (f->scopes & SCOPE_ACCOUNTS_WRITE) != 0)
		return ERR_DENIED;
	e = tx_run(db, create, &c);
	if (e == ERR_OK)
		*id_r = c.id;
	return e;
}

/* A scope this program does not know is no right at all. */
static unsigned known_scopes(const char *text)
{
	unsigned mask;

	return scope_parse(text, &mask) == ERR_OK ? mask : 0;
}

/* Seen by the viewer; the installation's have no account. */
#define SEEN "(? = 1 OR t.account_id = ?)"

enum err store_token_list(
    struct db *db, struct arena *a, const struct viewer *v, struct api_token **list_r, size_t *count_r)
{
	struct db_rows rows;
	struct api_token *list;
	enum err e = db_query(db, a,
	    "SELECT t.id, t.account_id, t.name, t.scopes, t.networks, u.email, x.name, t.created_at,"
	    " t.expires_at, t.last_used_at, t.revoked_at, COALESCE(t.expires_at <= UTC_TIMESTAMP(6), 0),"
	    " t.last_address, t.issuer FROM api_token t LEFT JOIN user u ON u.id = t.created_by"
	    " LEFT JOIN account x ON x.id = t.account_id WHERE " SEEN " ORDER BY t.id DESC LIMIT ?",
	    DB_ARGS(SCOPE_ARGS(v), db_p_u64(LIST_MAX)), &rows);

	if (e != ERR_OK)
		return e;
	list = arena_array(a, rows.count, sizeof(*list));
	for (size_t i = 0; i < rows.count; i++)
		list[i] = (struct api_token){
		    .id = db_u64(&rows, i, 0),
		    .is_installation = db_is_null(&rows, i, 1),
		    .name = db_str(&rows, i, 2),
		    .scopes = known_scopes(db_str(&rows, i, 3)),
		    .networks = db_str(&rows, i, 4),
		    .email = db_str(&rows, i, 5),
		    .account_name = db_str(&rows, i, 6),
		    .created_at = db_time_s(&rows, i, 7),
		    .expires_at = db_time_s(&rows, i, 8),
		    .last_used_at = db_time_s(&rows, i, 9),
		    .revoked_at = db_time_s(&rows, i, 10),
		    .is_expired = db_u64(&rows, i, 11) != 0,
		    .last_address = db_str(&rows, i, 12),
		    .issuer = db_str(&rows, i, 13),
		};
	*list_r = list;
	*count_r = rows.count;
	return ERR_OK;
}

enum err store_token_revoke(struct db *db, const struct viewer *v, uint64_t id)
{
	uint64_t changed;
	enum err e = db_exec(db,
	    "UPDATE api_token t SET t.revoked_at = UTC_TIMESTAMP(6) WHERE t.id = ? AND t.revoked_at IS NULL "
	    "AND " SEEN,
	    DB_ARGS(db_p_u64(id), SCOPE_ARGS(v)), &changed);

	return e == ERR_OK && changed != 1 ? ERR_NOT_FOUND : e;
}

enum err store_token_find(
    struct db *db, struct arena *a, const uint8_t hash[TOKEN_ID_HASH_BYTES], struct token_holder *holder_r)
{
	struct db_rows rows;
	enum err e = db_query_one(db, a,
	    "SELECT t.id, t.account_id IS NULL, u.id, u.account_id, u.email, t.scopes, t.networks,"
	    " x.suspended_at IS NOT NULL, t.issuer FROM api_token t JOIN user u ON u.id = t.created_by"
	    " JOIN account x ON x.id = u.account_id"
	    " WHERE t.token_hash = ? AND t.revoked_at IS NULL AND u.disabled_at IS NULL"
	    " AND (t.expires_at IS NULL OR t.expires_at > UTC_TIMESTAMP(6))"
	    " AND IF(t.account_id IS NULL, u.role = 'admin', t.account_id = u.account_id)",
	    DB_ARGS(db_p_blob(hash, TOKEN_ID_HASH_BYTES)), &rows);

	if (e != ERR_OK)
		return e;
	*holder_r = (struct token_holder){
	    .token_id = db_u64(&rows, 0, 0),
	    .viewer =
		{
		    .user_id = db_u64(&rows, 0, 2),
		    .account_id = db_u64(&rows, 0, 3),
		    .role = db_u64(&rows, 0, 1) != 0 ? ROLE_ADMIN : ROLE_MEMBER,
		},
	    .email = db_str(&rows, 0, 4),
	    .scopes = known_scopes(db_str(&rows, 0, 5)),
	    .networks = db_str(&rows, 0, 6),
	    .is_suspended = db_u64(&rows, 0, 7) != 0,
	    .issuer = db_str(&rows, 0, 8),
	    .is_installation = db_u64(&rows, 0, 1) != 0,
	};
	return ERR_OK;
}

enum err store_token_note_use(struct db *db, uint64_t id, const char *address)
{
	AUTO_ARENA struct arena *a = arena_new();

	return db_exec(db,
	    "UPDATE api_token SET last_used_at = UTC_TIMESTAMP(6), last_address = ? WHERE id = ?"
	    " AND (last_used_at IS NULL OR last_used_at < UTC_TIMESTAMP(6) - INTERVAL ? SECOND)",
	    DB_ARGS(db_p_str(text_clean(a, address, ADDRESS_MAX_CHARS)), db_p_u64(id), db_p_u64(NOTE_S)),
	    NULL);
}
