/* A proxy before the server that loses the request or the answer of one COMMIT: see fixture.h. */
#include "tests/store/fixture.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char commit[] = "\x03"
			     "COMMIT"; /* COM_QUERY and its text */

static _Atomic(enum proxy_fault) armed;
static int listener = -1;
static char listen_path[108];

static int unix_socket(const char *path, struct sockaddr_un *addr)
{
	*addr = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(addr->sun_path, sizeof(addr->sun_path), "%s", path);
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* Carry what there is; false when that side has ended. */
static bool carry(int from, int to, bool is_request, bool *swallow_answer)
{
	char bytes[65536];
	ssize_t n = read(from, bytes, sizeof(bytes));

	if (n <= 0)
		return false;
	if (!is_request && *swallow_answer)
		return false;
	if (is_request && memmem(bytes, (size_t)n, commit, sizeof(commit) - 1) != NULL) {
		enum proxy_fault fault = atomic_exchange(&armed, PROXY_PASS);

		if (fault == PROXY_LOSE_REQUEST)
			return false;
		*swallow_answer = fault == PROXY_LOSE_ANSWER;
	}
	return write(to, bytes, (size_t)n) == n;
}

static void *serve(void *arg)
{
	int client = (int)(intptr_t)arg;
	struct sockaddr_un addr;
	int server = unix_socket(fixture_socket(), &addr);
	struct pollfd fds[2] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
	bool swallow = false, open = connect(server, (struct sockaddr *)&addr, sizeof(addr)) == 0;

	while (open && poll(fds, 2, -1) > 0) {
		if (fds[0].revents != 0)
			open = carry(client, server, true, &swallow);
		if (open && fds[1].revents != 0)
			open = carry(server, client, false, &swallow);
	}
	close(client);
	close(server);
	return NULL;
}

static void *accept_all(void *arg)
{
	(void)arg;
	for (;;) {
		int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		pthread_t thread;

		if (client < 0)
			return NULL;
		if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)client) == 0)
			pthread_detach(thread);
	}
}

static void start(void)
{
	struct sockaddr_un addr;
	pthread_t thread;

	snprintf(listen_path, sizeof(listen_path), "%s/proxy", fixture_dir());
	listener = unix_socket(listen_path, &addr);
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(listener, 16), 0);
	assert_int_equal(pthread_create(&thread, NULL, accept_all, NULL), 0);
	pthread_detach(thread);
}

struct db *proxy_connect(void)
{
	struct db_options options = {.socket = listen_path, .database = "mcv"};
	struct db *connection;

	if (listener < 0)
		start();
	assert_ok(db_open(&options, &connection));
	return connection;
}

void proxy_arm(enum proxy_fault fault)
{
	atomic_store(&armed, fault);
}
