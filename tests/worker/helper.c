/*
 * What the worker's tests need and Python's standard library has not: key pairs, sealed passwords,
 * migrations.
 *
 *   helper keygen PRIVATE PUBLIC
 *   helper seal PUBLIC ACCOUNT_ID source|destination   password on standard input, box in hex on standard
 * output helper migrate SOCKET DATABASE DIRECTORY
 *
 * Prints why and exits 1 on failure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/vault.h"
#include "sql/db.h"
#include "sql/migrate.h"

static int fail(const char *what, enum err e, const char *why)
{
	(void)fprintf(stderr, "%s: %s: %s\n", what, err_text(e), why);
	return 1;
}

static int keygen(char **argv)
{
	AUTO_BUF struct buf why = BUF_INIT;
	enum err e = vault_keygen(argv[2], argv[3], &why);

	return e == ERR_OK ? 0 : fail("keygen", e, why.data);
}

static int seal(char **argv)
{
	AUTO_ARENA struct arena *a = arena_new();
	AUTO_BUF struct buf why = BUF_INIT;
	AUTO_BUF struct buf box = BUF_INIT;
	enum vault_side side = strcmp(argv[4], "source") == 0 ? VAULT_SOURCE : VAULT_DESTINATION;
	const char *aad = vault_aad(a, strtoull(argv[3], NULL, 10), side);
	struct vault_public_key *key = NULL;
	char plain[VAULT_PLAIN_MAX_BYTES];
	size_t len = fread(plain, 1, sizeof(plain), stdin);
	enum err e = vault_public_load(argv[2], &key, &why);

	if (e == ERR_OK)
		e = vault_seal(key, aad, plain, len, &box);
	vault_public_free(&key);
	if (e != ERR_OK)
		return fail("seal", e, why.data);
	for (size_t i = 0; i < box.len; i++)
		(void)printf("%02x", (unsigned char)box.data[i]);
	return 0;
}

static int migrate(char **argv)
{
	AUTO_ARENA struct arena *a = arena_new();
	const struct db_options o = {.socket = argv[2], .database = argv[3]};
	const char *why = "";
	struct db *db = NULL;
	unsigned applied = 0;
	enum err e = db_open(&o, &db);

	if (e == ERR_OK)
		e = migrate_run(db, a, argv[4], &applied, &why);
	if (e != ERR_OK)
		(void)fail("migrate", e, why[0] != '\0' ? why : db_error(db));
	db_close(&db);
	return e == ERR_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "keygen") == 0)
		return keygen(argv);
	if (argc == 5 && strcmp(argv[1], "seal") == 0)
		return seal(argv);
	if (argc == 5 && strcmp(argv[1], "migrate") == 0)
		return migrate(argv);
	return 2;
}
