#include "tests/store/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/mem.h"
#include "sql/migrate.h"
#include "sql/store_account.h"
#include "sql/store_check.h"
#include "sql/store_server.h"
#include "sql/store_user.h"
#include "sql/store_worker.h"

extern char **environ;

struct viewer member_a, admin_a, member_b;
const struct viewer installation = {.role = ROLE_ADMIN};
uint64_t server_a, server_b, server_shared, worker_1;
struct db *db;
struct arena *arena;

static char dir[64];
static char socket_path[96];
static pid_t server_pid;

const char *fixture_socket(void)
{
	return socket_path;
}

const char *fixture_dir(void)
{
	return dir;
}

static pid_t start_program(char *const argv[], const char *log)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	if (posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ) != 0)
		pid = -1;
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static int finish_program(pid_t pid)
{
	int status;

	if (pid <= 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct db *fixture_connect(const char *database)
{
	struct db_options options = {.socket = socket_path, .database = database != NULL ? database : "mcv"};
	struct db *connection;

	if (db_open(&options, &connection) != ERR_OK) {
		print_message("# cannot connect: %s\n", db_error(connection));
		db_close(&connection);
	}
	return connection;
}

void fixture_start_server(void)
{
	char *user = mem_alloc(64), *data = mem_alloc(128), *sock = mem_alloc(128), *log = mem_alloc(128);
	const struct timespec pause = {.tv_nsec = 20000000};
	struct db_options options = {.socket = socket_path};
	struct db *probe;
	enum err e = ERR_UNAVAILABLE;

	snprintf(user, 64, "--user=%s", getenv("MCV_TEST_USER"));
	snprintf(data, 128, "--datadir=%s/data", dir);
	snprintf(sock, 128, "--socket=%s", socket_path);
	snprintf(log, 128, "%s/server.log", dir);
	/* setpriv: the server must not outlive this program. */
	server_pid =
	    start_program((char *[]){"setpriv", "--pdeathsig", "KILL", "mariadbd", "--no-defaults", user,
			      data, sock, "--skip-networking", "--innodb-buffer-pool-size=48M",
			      "--innodb-log-file-size=32M", "--innodb-flush-log-at-trx-commit=2",
			      "--skip-log-bin", "--performance-schema=0", "--plugin-load-add=auth_socket",
			      "--slow-query-log=1", "--slow-query-log-file=slow.log", NULL},
		log);
	for (int i = 0; e != ERR_OK && i < 1500; i++) {
		e = db_open(&options, &probe);
		db_close(&probe);
		if (e != ERR_OK)
			nanosleep(&pause, NULL);
	}
	free(user);
	free(data);
	free(sock);
	free(log);
	if (e != ERR_OK)
		fail_msg("mariadbd did not start: see %s/server.log", dir);
}

void fixture_kill_server(void)
{
	kill(server_pid, SIGKILL);
	finish_program(server_pid);
	server_pid = 0;
}

static bool has_program(const char *name)
{
	char *copy = strdup(getenv("PATH") != NULL ? getenv("PATH") : "/usr/bin:/usr/sbin");
	bool found = false;

	for (char *save, *p = strtok_r(copy, ":", &save); p != NULL && !found;
	     p = strtok_r(NULL, ":", &save)) {
		char path[512];

		snprintf(path, sizeof(path), "%s/%s", p, name);
		found = access(path, X_OK) == 0;
	}
	free(copy);
	return found;
}

static bool install(void)
{
	char data[128], log[128], user[64], root[64];

	snprintf(data, sizeof(data), "--datadir=%s/data", dir);
	snprintf(log, sizeof(log), "%s/install.log", dir);
	snprintf(user, sizeof(user), "--user=%s", getenv("MCV_TEST_USER"));
	snprintf(root, sizeof(root), "--auth-root-socket-user=%s", getenv("MCV_TEST_USER"));
	return finish_program(
		   start_program((char *[]){"mariadb-install-db", "--no-defaults", user, data, root,
				     "--skip-test-db", "--auth-root-authentication-method=socket", NULL},
		       log)) == 0;
}

static int migrate(void)
{
	struct arena *a = arena_new();
	struct db *connection;
	unsigned applied;
	const char *why;
	struct db_options options = {.socket = socket_path};
	enum err e = db_open(&options, &connection);

	if (e == ERR_OK)
		e = db_exec_text(connection, "CREATE DATABASE mcv CHARACTER SET utf8mb4");
	db_close(&connection);
	connection = fixture_connect(NULL);
	if (e == ERR_OK)
		e = migrate_run(connection, a, MCV_TEST_SQL_DIR, &applied, &why);
	if (e != ERR_OK)
		print_message("Bail out! no schema: %s\n", why);
	db_close(&connection);
	arena_free(&a);
	return e == ERR_OK ? 0 : 1;
}

static void remove_all(void)
{
	if (server_pid > 0)
		fixture_kill_server();
	finish_program(start_program((char *[]){"rm", "-rf", dir, NULL}, "/dev/null"));
}

static int group_setup(void **state)
{
	(void)state;
	fixture_start_server();
	return migrate();
}

static int group_teardown(void **state)
{
	(void)state;
	db_close(&db);
	arena_free(&arena);
	return 0;
}

int fixture_run(const struct CMUnitTest *tests, size_t count)
{
	static const char *const needed[] = {"mariadbd", "mariadb-install-db", "setpriv"};
	const struct passwd *me = getpwuid(geteuid());
	int failed;

	for (size_t i = 0; i < COUNT_OF(needed); i++)
		if (!has_program(needed[i])) {
			printf("1..0 # SKIP %s is not installed\n", needed[i]);
			return 0;
		}
	if (me == NULL)
		return 1;
	setenv("MCV_TEST_USER", me->pw_name, 1);
	/* A Unix socket's path must be short, whatever TMPDIR is. */
	snprintf(dir, sizeof(dir), "/tmp/mcv-store-XXXXXX");
	/* mariadbd removes left-over temporary tables where it keeps its own: not those of other servers. */
	if (mkdtemp(dir) == NULL || setenv("TMPDIR", dir, 1) != 0 || !install()) {
		printf("Bail out! mariadb-install-db failed\n");
		return 1;
	}
	snprintf(socket_path, sizeof(socket_path), "%s/s", dir);
	atexit(remove_all);
	failed = _cmocka_run_group_tests("store", tests, count, group_setup, group_teardown);
	return failed;
}

void run_sql(const char *sql)
{
	enum err e = db_exec_text(db, sql);

	if (e != ERR_OK)
		fail_msg("%s: %s", sql, db_error(db));
}

int64_t number(const char *sql)
{
	struct db_rows rows;
	enum err e = db_query_one(db, arena, sql, DB_NONE, &rows);

	if (e != ERR_OK)
		fail_msg("%s: %s", sql, db_error(db));
	return db_i64(&rows, 0, 0);
}

const char *text(const char *sql)
{
	struct db_rows rows;
	enum err e = db_query_one(db, arena, sql, DB_NONE, &rows);

	if (e != ERR_OK)
		fail_msg("%s: %s", sql, db_error(db));
	return db_str(&rows, 0, 0);
}

static uint64_t make_server(const struct viewer *v, const char *name, bool shared)
{
	const struct server_fields f = {.name = name,
	    .host = "imap.example.org",
	    .port = 993,
	    .security = SECURITY_TLS,
	    .verify = true,
	    .shared = shared};
	uint64_t id;

	assert_ok(store_server_create(db, v, &f, &id));
	return id;
}

int fixture_reset(void **state)
{
	static const char *const tables[] = {"account_host", "account_external", "user_external", "sso_link",
	    "user_link", "api_token", "log_link", "import_row", "import_bad", "import", "bulk_job", "bulk",
	    "notification", "audit", "login_throttle", "job_log", "job_event", "job", "run_slot", "batch",
	    "server", "session", "worker", "account_turn", "user", "account"};
	uint64_t a, b;

	(void)state;
	db_close(&db);
	arena_free(&arena);
	arena = arena_new();
	db = fixture_connect(NULL);
	assert_non_null(db);
	run_sql("SET FOREIGN_KEY_CHECKS = 0");
	for (size_t i = 0; i < COUNT_OF(tables); i++)
		run_sql(arena_printf(arena, "DELETE FROM %s", tables[i]));
	run_sql("SET FOREIGN_KEY_CHECKS = 1");
	run_sql("INSERT INTO run_slot (kind, owner, n) VALUES ('global', 0, 1), ('global', 0, 2)");
	assert_ok(store_account_create(db, "A", &a));
	assert_ok(store_account_create(db, "B", &b));
	member_a = (struct viewer){.account_id = a, .role = ROLE_MEMBER};
	admin_a = (struct viewer){.account_id = a, .role = ROLE_ADMIN};
	member_b = (struct viewer){.account_id = b, .role = ROLE_MEMBER};
	assert_ok(store_user_create(db, a, "member-a@example.org", "x", ROLE_MEMBER, &member_a.user_id));
	assert_ok(store_user_create(db, a, "admin@example.org", "x", ROLE_ADMIN, &admin_a.user_id));
	assert_ok(store_user_create(db, b, "member-b@example.org", "x", ROLE_MEMBER, &member_b.user_id));
	server_a = make_server(&member_a, "of A", false);
	server_b = make_server(&member_b, "of B", false);
	server_shared = make_server(&admin_a, "shared", true);
	assert_ok(store_worker_register(db, "host-1", 100, "boot", "test", &worker_1));
	return 0;
}

uint64_t make_job(const struct viewer *v, uint64_t source, uint64_t destination)
{
	static unsigned made;
	const struct job_new n = {.dry_run = true,
	    .src_server_id = source != 0 ? source : server_shared,
	    .dst_server_id = destination != 0 ? destination : server_shared,
	    .src_user = arena_printf(arena, "old%u@example.org", ++made),
	    .dst_user = "new@example.org",
	    .src_sealed = {"sealed source", 13},
	    .dst_sealed = {"sealed destination", 18}};
	uint64_t id;

	assert_ok(store_job_create(db, v, &n, &id, NULL));
	return id;
}

uint64_t claim_next(struct queue_token *t)
{
	struct queue_job job;

	queue_token_new(t);
	assert_ok(store_queue_claim(db, arena, worker_1, 60, t, &job));
	return job.job.id;
}

struct queue_ending ending_of(enum job_state state)
{
	return (struct queue_ending){.state = state,
	    .exit_code = 0,
	    .reason = "test",
	    .reason_text = "It ended.",
	    .log_errors = -1,
	    .log_warnings = -1};
}

void finish_as(const struct queue_token *t, enum job_state state)
{
	const struct queue_ending ending = ending_of(state);

	assert_ok(store_queue_finish(db, t, &ending));
}

enum job_state state_of(uint64_t job_id)
{
	struct job job;

	assert_ok(store_job_get(db, arena, &admin_a, job_id, &job));
	return job.state;
}

void assert_consistent(void)
{
	struct violation *list;
	size_t count;

	assert_ok(store_check(db, arena, &list, &count));
	for (size_t i = 0; i < count; i++)
		print_message("# %s: %s\n", list[i].rule, list[i].text);
	assert_int_equal(count, 0);
}
