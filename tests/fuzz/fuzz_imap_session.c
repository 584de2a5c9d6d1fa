/*
 * A whole session with a server that says just the input and hangs up: nothing it says may break the client,
 * and what is handed on is what was asked for.  The first byte chooses the commands.
 */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "imap/search.h"
#include "imap/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int listener = -1;
static uint16_t port;
/* what the server says next; set before the client connects, read after */
static const uint8_t *script;
static size_t script_len;
static sem_t served;

/* Closes first, so that no port of the client's has to rest. */
static void *serve(void *unused)
{
	(void)unused;
	for (;;) {
		char heard[4096];
		int fd = accept(listener, NULL, NULL);
		if (fd < 0)
			return NULL;
		/* a client that has heard enough may be gone */
		if (send(fd, script, script_len, MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET)
			abort();
		(void)shutdown(fd, SHUT_WR);
		while (read(fd, heard, sizeof(heard)) > 0)
			continue;
		close(fd);
		sem_post(&served);
	}
}

static void start(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(a);
	pthread_t thread;

	signal(SIGPIPE, SIG_IGN);
	sem_init(&served, 0, 0);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(listener, 8) != 0 ||
	    getsockname(listener, (struct sockaddr *)&a, &len) != 0 ||
	    pthread_create(&thread, NULL, serve, NULL) != 0)
		abort();
	pthread_detach(thread);
	port = ntohs(a.sin_port);
}

static enum err on_row(void *ctx, const struct imap_row *row)
{
	(void)ctx;
	assert(row->uid >= 2 && row->uid <= 9);
	assert(row->header_len <= IMAP_HEADER_MAX && row->flags != NULL && row->date != NULL);
	return ERR_OK;
}

struct got {
	uint64_t size, bytes;
	unsigned begins;
};

static enum err on_begin(void *ctx, uint64_t size)
{
	struct got *g = ctx;

	g->size = size;
	g->begins++;
	return ERR_OK;
}

static enum err on_piece(void *ctx, const char *bytes, size_t len)
{
	struct got *g = ctx;

	(void)bytes;
	g->bytes += len;
	return ERR_OK;
}

static void fetch(struct imap_session *s, bool pipelined)
{
	struct imap_range range = {2, 9};
	uint64_t n;

	if (imap_fetch_rows(s, &range, 1, IMAP_FETCH_FLAGS | IMAP_FETCH_HEADER, NULL, on_row, NULL, &n) !=
	    ERR_OK)
		return;
	for (uint32_t uid = 2; pipelined && uid < 5; uid++)
		if (imap_fetch_body_send(s, uid) != ERR_OK)
			return;
	for (int i = 0; i < 3; i++) {
		struct got g = {0};
		struct imap_sink sink = {on_begin, on_piece, &g};
		uint32_t uid = 2;
		enum err e = pipelined ? imap_fetch_body_next(s, &sink, &uid) : imap_fetch_body(s, 2, &sink);
		assert(g.begins <= 1 && g.bytes <= g.size);
		if (e == ERR_OK)
			assert(g.begins == 1 && g.bytes == g.size && uid >= 2 && uid < 5);
		else if (!imap_session_alive(s))
			return;
	}
}

static enum err on_changed(void *ctx, const struct imap_row *row)
{
	(void)ctx;
	assert(row->uid >= 2 && row->uid <= 9 && row->flags != NULL);
	return ERR_OK;
}

static void on_range(void *ctx, uint32_t first, uint32_t last)
{
	(void)ctx;
	assert(first >= 2 && first <= last && last <= 9);
}

/* What tells changes apart from what is as it was. */
static void changes(struct imap_session *s, struct arena *a)
{
	static const char *const names[] = {"INBOX", "a/b"};
	const struct imap_range range = {2, 9};
	struct imap_folder_list list;
	struct imap_mailbox m;
	struct imap_status statuses[2];
	enum err results[2];

	if (imap_list_counted(s, a, &list) == ERR_OK)
		for (size_t i = 0; i < list.count; i++)
			assert(strpbrk(list.folders[i].name, "\r\n") == NULL);
	if (imap_folders_run(s, IMAP_STATUS_MODSEQ, names, 2, results, statuses) != ERR_OK ||
	    imap_select(s, "INBOX", true, &m) != ERR_OK)
		return;
	if (imap_fetch_changed(s, &range, 5, IMAP_FETCH_FLAGS, on_changed, NULL) == ERR_OK &&
	    imap_search_uids(s, 2, 9, on_range, NULL) == ERR_OK &&
	    imap_search(s, &range, "ALL", on_range, NULL) == ERR_OK)
		assert(imap_session_alive(s));
}

/* As asked for, where the bit is set that nothing else looks at. */
static enum err log_in(struct imap_session *s, unsigned choice)
{
	struct imap_credentials c = {.user = "user", .secret = "secret", .secret_len = 6};

	c.mechanism = choice & 32 ? IMAP_AUTH_SCRAM_SHA_256 : IMAP_AUTH_XOAUTH2;
	c.token = c.mechanism == IMAP_AUTH_XOAUTH2;
	return choice & 128 ? imap_authenticate(s, &c) : imap_login(s, "user", "secret", 6);
}

static void commands(struct imap_session *s, unsigned choice, struct arena *a)
{
	struct imap_folder_list list;
	struct imap_namespace ns;
	struct imap_status status;
	struct imap_quota quota;
	struct imap_mailbox m;
	struct imap_appended appended;

	if ((choice & 1) && log_in(s, choice) != ERR_OK)
		return;
	if ((choice & 64) && imap_compress(s) != ERR_OK && !imap_session_alive(s))
		return;
	if (choice & 32)
		changes(s, a);
	if (choice & 2) {
		if (imap_list(s, a, &list) == ERR_OK)
			for (size_t i = 0; i < list.count; i++)
				assert(strpbrk(list.folders[i].name, "\r\n") == NULL);
		if (imap_namespace(s, a, &ns) != ERR_OK || imap_status(s, "INBOX", &status) != ERR_OK ||
		    imap_quota(s, "INBOX", &quota) != ERR_OK)
			return;
	}
	if ((choice & 4) && imap_select(s, "INBOX", false, &m) == ERR_OK)
		fetch(s, choice & 8);
	if ((choice & 16) && imap_append_begin(s, "INBOX", "\\Seen", NULL, 3) == ERR_OK &&
	    imap_append_write(s, "abc", 3) == ERR_OK && imap_append_finish(s, &appended) == ERR_OK)
		assert(imap_session_alive(s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct imap_options o = {.connect_ms = 5000, .silence_ms = 5000};
	struct imap_session *s;
	struct arena *a AUTO_ARENA = arena_new();

	if (size < 1)
		return 0;
	if (listener < 0)
		start();
	script = data + 1;
	script_len = size - 1;
	o.endpoint =
	    (struct imap_endpoint){.host = "127.0.0.1", .port = port, .security = IMAP_SECURITY_NONE};
	if (imap_session_open(&o, &s, NULL, NULL) == ERR_OK)
		commands(s, data[0], a);
	imap_session_close(&s);
	/* the input is the server's until then; every input is connected to once */
	while (sem_wait(&served) != 0)
		continue;
	return 0;
}
