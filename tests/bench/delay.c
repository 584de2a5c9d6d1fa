/*
 * delay TARGET_PORT MILLISECONDS: a TCP proxy on 127.0.0.1 that passes every byte on so many milliseconds
 * after it came, in each direction: a round trip grows by twice that, throughput hardly suffers.  Prints its
 * port. Ends with its standard input.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 65536
#define CHUNKS 128 /* in flight each way: 8 MB, much more than a fast line holds in the delays measured */
#define PIPES_MAX 128

struct chunk {
	int64_t due_ns;
	size_t len;
	size_t sent;
	char bytes[CHUNK];
};

/* One direction of a connection; two with the descriptors exchanged make it whole. */
struct pipe_way {
	int from;
	int to;
	struct chunk *ring; /* CHUNKS of them; NULL = this place is free */
	unsigned first;
	unsigned count;
	bool ended; /* nothing more comes from from */
	bool shut;  /* and to has been told */
};

static struct pipe_way ways[PIPES_MAX];

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int socket_of(uint16_t port, bool listening)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return -1;
	if (listening ? bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 64) != 0
		      : connect(fd, (const struct sockaddr *)&at, sizeof(at)) != 0) {
		close(fd);
		return -1;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void open_way(unsigned place, int from, int to)
{
	ways[place] = (struct pipe_way){.from = from, .to = to, .ring = calloc(CHUNKS, sizeof(struct chunk))};
	if (ways[place].ring == NULL)
		abort();
}

static void welcome(int listener, uint16_t target)
{
	int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int server = client < 0 ? -1 : socket_of(target, false);
	int on = 1;
	unsigned place = 0;
	while (place < PIPES_MAX && ways[place].ring != NULL)
		place += 2;
	if (server < 0 || place == PIPES_MAX) {
		close(client);
		close(server);
		return;
	}
	(void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)fcntl(server, F_SETFL, O_NONBLOCK);
	open_way(place, client, server);
	open_way(place + 1, server, client);
}

static void take(struct pipe_way *w, int64_t delay_ns)
{
	struct chunk *c = &w->ring[(w->first + w->count) % CHUNKS];
	ssize_t n = recv(w->from, c->bytes, CHUNK, 0);
	if (n > 0) {
		c->len = (size_t)n;
		c->sent = 0;
		c->due_ns = now_ns() + delay_ns;
		w->count++;
	} else if (n == 0 || errno != EAGAIN) {
		w->ended = true;
	}
}

static void give(struct pipe_way *w)
{
	while (w->count > 0 && w->ring[w->first].due_ns <= now_ns()) {
		struct chunk *c = &w->ring[w->first];
		ssize_t n = send(w->to, c->bytes + c->sent, c->len - c->sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			w->ended = true;
			w->count = 0;
			return;
		}
		c->sent += (size_t)n;
		if (c->sent == c->len) {
			w->first = (w->first + 1) % CHUNKS;
			w->count--;
		}
	}
	if (w->ended && w->count == 0 && !w->shut) {
		(void)shutdown(w->to, SHUT_WR);
		w->shut = true;
	}
}

static void sweep(void)
{
	for (unsigned i = 0; i < PIPES_MAX; i += 2) {
		if (ways[i].ring == NULL || !ways[i].shut || !ways[i + 1].shut)
			continue;
		close(ways[i].from);
		close(ways[i].to);
		free(ways[i].ring);
		free(ways[i + 1].ring);
		memset(&ways[i], 0, 2 * sizeof(ways[i]));
	}
}

/* When the first chunk is due that its receiver has room for; -1 = nothing waits for time to pass. */
static int64_t next_due(void)
{
	int64_t due = -1;
	for (unsigned i = 0; i < PIPES_MAX; i++) {
		if (ways[i].ring == NULL || ways[i].count == 0)
			continue;
		int64_t one = ways[i].ring[ways[i].first].due_ns;
		if (one > now_ns() && (due < 0 || one < due))
			due = one;
	}
	return due;
}

static bool turn(int listener, uint16_t target, int64_t delay_ns)
{
	struct pollfd fds[2 + 2 * PIPES_MAX] = {
	    {.fd = 0, .events = POLLIN}, {.fd = listener, .events = POLLIN}};
	for (unsigned i = 0; i < PIPES_MAX; i++) {
		const struct pipe_way *w = &ways[i];
		bool hears = w->ring != NULL && !w->ended && w->count < CHUNKS;
		bool speaks = w->ring != NULL && w->count > 0 && w->ring[w->first].due_ns <= now_ns();
		fds[2 + 2 * i] = (struct pollfd){.fd = hears ? w->from : -1, .events = POLLIN};
		fds[3 + 2 * i] = (struct pollfd){.fd = speaks ? w->to : -1, .events = POLLOUT};
	}
	int64_t due = next_due();
	int64_t wait_ns = due < 0 ? 1000000000 : due - now_ns();
	if (wait_ns < 0)
		wait_ns = 0;
	const struct timespec wait = {.tv_sec = wait_ns / 1000000000, .tv_nsec = wait_ns % 1000000000};
	if (ppoll(fds, 2 + 2 * PIPES_MAX, &wait, NULL) < 0 && errno != EINTR)
		return false;
	if (fds[0].revents != 0)
		return false;
	for (unsigned i = 0; i < PIPES_MAX; i++) {
		if (ways[i].ring == NULL)
			continue;
		if (fds[2 + 2 * i].revents != 0)
			take(&ways[i], delay_ns);
		give(&ways[i]);
	}
	if (fds[1].revents != 0)
		welcome(listener, target);
	sweep();
	return true;
}

int main(int argc, char **argv)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	if (argc != 3) {
		fprintf(stderr, "usage: delay TARGET_PORT MILLISECONDS\n");
		return 64;
	}
	uint16_t target = (uint16_t)atoi(argv[1]);
	int64_t delay_ns = (int64_t)(atof(argv[2]) * 1e6);
	int listener = socket_of(0, true);
	if (listener < 0 || getsockname(listener, (struct sockaddr *)&at, &len) != 0)
		return 1;
	printf("%u\n", ntohs(at.sin_port));
	fflush(stdout);
	while (turn(listener, target, delay_ns))
		continue;
	return 0;
}
