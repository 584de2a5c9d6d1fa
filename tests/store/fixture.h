/*
 * A private MariaDB for one test program: a temporary directory, a Unix socket and nothing else, gone when
 * the program ends, however it ends.  Also a proxy in front of it that loses answers at will, and rows to
 * test with.
 */
#ifndef MCV_TESTS_STORE_FIXTURE_H
#define MCV_TESTS_STORE_FIXTURE_H

#include "tests/unit/unit.h"

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "sql/db.h"
#include "sql/job.h"
#include "sql/store_job.h"
#include "sql/store_queue.h"
#include "sql/viewer.h"

#define assert_ok(call) assert_int_equal((call), ERR_OK)
#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Run the tests with a server that has the schema; prints a TAP skip and returns 0 where there is no MariaDB.
 * Give it a test list made with cmocka_unit_test_setup(f, fixture_reset). */
int fixture_run(const struct CMUnitTest *tests, size_t count);
#define FIXTURE_RUN(tests) fixture_run(tests, COUNT_OF(tests))
#define STORE_TEST(f) cmocka_unit_test_setup(f, fixture_reset)

/* Per-test setup: every table empty but for two free slots; accounts, users, servers below anew. */
int fixture_reset(void **state);

/* What fixture_reset() makes: account A (a member and an admin), account B (a member); a server of A, one of
 * B, one shared. */
extern struct viewer member_a, admin_a, member_b;
/* The installation itself. */
extern const struct viewer installation;
extern uint64_t server_a, server_b, server_shared, worker_1;

/* The connection tests use, and an arena; both anew for each test. */
extern struct db *db;
extern struct arena *arena;

/* Another connection; to the database given, or the usual one for NULL. */
struct db *fixture_connect(const char *database);
const char *fixture_socket(void);
const char *fixture_dir(void);

/* kill -9, and a start that returns when it answers. */
void fixture_kill_server(void);
void fixture_start_server(void);

/* Ask for one number, or one text (NULL for SQL NULL), with fixed SQL. */
int64_t number(const char *sql);
const char *text(const char *sql);
void run_sql(const char *sql);

/* A queued job of this viewer's account, between the two servers (0: the shared one), of mailboxes of its
 * own. */
uint64_t make_job(const struct viewer *v, uint64_t source, uint64_t destination);
/* Claim the next one for worker_1 with a minute's lease; the test fails if there is none. */
uint64_t claim_next(struct queue_token *t);
/* An ending in this state. */
struct queue_ending ending_of(enum job_state state);
void finish_as(const struct queue_token *t, enum job_state state);
enum job_state state_of(uint64_t job_id);

/* No invariant is broken. */
void assert_consistent(void);

/* A connection through the proxy.  The next COMMIT it carries is swallowed, or carried out and its answer
 * swallowed; either way the connection breaks then.  Later connections pass untouched. */
enum proxy_fault { PROXY_PASS, PROXY_LOSE_REQUEST, PROXY_LOSE_ANSWER };
struct db *proxy_connect(void);
void proxy_arm(enum proxy_fault fault);

#endif
