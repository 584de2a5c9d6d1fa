#include "fcgi/sso_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fcgi/sso_ask.h"
#include "fcgi/sso_local.h"
#include "fcgi/sso_peer.h"
#include "fcgi/sso_rate.h"
#include "fcgi/view.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/mem.h"

#define LOGIN_DEFS "/etc/login.defs"

struct connection {
	int fd; /* -1: free */
	struct sso_peer peer;
	mono_time deadline;
	size_t len;
	char line[SSO_ASK_MAX_BYTES];
};

struct sso_socket {
	struct web *web;
	int fd;
	struct sso_people people;
	struct sso_rate rate;
	struct connection connections[SSO_CONNECTIONS];
};

/* Sends o as one line and frees it.  A new connection has room for it; who does not read it misses it. */
static void say(int fd, struct json_object *o)
{
	const char *text =
	    json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	struct iovec parts[] = {
	    {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)}, {.iov_base = "\n", .iov_len = 1}};
	const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	(void)sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	/* a link may stand in it */
	explicit_bzero((void *)(uintptr_t)text, strlen(text));
	json_object_put(o);
}

static void say_no(int fd, const char *word, const char *detail)
{
	struct json_object *o = json_object_new_object();

	view_str(o, "error", word);
	view_str(o, "detail", detail);
	say(fd, o);
}

static void hang_up(struct connection *c)
{
	(void)close(c->fd);
	explicit_bzero(c->line, sizeof(c->line));
	*c = (struct connection){.fd = -1};
}

static const char *word_for(enum err e)
{
	switch (e) {
	case ERR_DENIED: return "denied";
	case ERR_LIMIT:
	case ERR_INVALID: return "refused";
	default: return "unavailable";
	}
}

/* What is asked, whether it may be, and the link.  Errors with *why_r. */
static enum err answer(struct sso_socket *s, struct arena *a, const struct connection *c,
    struct json_object *o, const char **why_r)
{
	struct sso_ask ask;
	const char *url;
	enum err e = sso_ask_read(a, c->line, c->len, &ask, why_r);

	if (e == ERR_OK)
		e = sso_ask_judge(&c->peer, &ask, why_r);
	if (e != ERR_OK)
		return e;
	if (ask.is_check) {
		e = sso_local_check(s->web, why_r);
		view_bool(o, "ok", e == ERR_OK);
		return e;
	}
	e = sso_local_link(s->web, a, &c->peer, &ask, &url, why_r);
	if (e == ERR_OK) {
		view_str(o, "url", url);
		view_int(o, "ttl", ask.ttl_s);
	}
	return e;
}

static void serve_line(struct sso_socket *s, struct connection *c)
{
	struct arena *a = arena_new_clean();
	struct json_object *o = json_object_new_object();
	const char *why = NULL;
	enum err e;

	log_context(arena_printf(a, "uid %u", c->peer.uid));
	e = answer(s, a, c, o, &why);
	if (e == ERR_OK) {
		say(c->fd, o);
	} else {
		json_object_put(o);
		log_info("refused: %s", why != NULL ? why : err_text(e));
		say_no(c->fd, word_for(e),
		    why != NULL ? why : "mailconvoy cannot make a link now. Try again in a minute.");
	}
	log_context(NULL);
	arena_free(&a);
	hang_up(c);
}

/* One line, or what came until the other side had said all. */
static void read_more(struct sso_socket *s, struct connection *c)
{
	ssize_t got = recv(c->fd, c->line + c->len, sizeof(c->line) - c->len, MSG_DONTWAIT);
	char *end;

	if (got < 0) {
		if (errno != EAGAIN && errno != EINTR)
			hang_up(c);
		return;
	}
	c->len += (size_t)got;
	end = memchr(c->line, '\n', c->len);
	if (end != NULL) {
		c->len = (size_t)(end - c->line);
	} else if (got > 0 && c->len < sizeof(c->line)) {
		return;
	} else if (got > 0 || c->len == 0) {
		say_no(c->fd, "refused", got > 0 ? "The request is too long." : "Nothing was asked.");
		hang_up(c);
		return;
	}
	serve_line(s, c);
}

/* A place for one more of uid, or NULL and why. */
static struct connection *find_place(struct sso_socket *s, uint32_t uid, const char **why_r)
{
	struct connection *place = NULL;
	unsigned own = 0;

	for (size_t i = 0; i < SSO_CONNECTIONS; i++) {
		struct connection *c = &s->connections[i];

		if (c->fd < 0)
			place = c;
		else
			own += c->peer.uid == uid;
	}
	*why_r = "Too many requests at once. Try again in a moment.";
	return own < SSO_PER_UID ? place : NULL;
}

/* ERR_OK: *place_r waits for a line.  Else who asked has been told. */
static enum err admit(struct sso_socket *s, int fd, struct connection **place_r)
{
	struct sso_peer peer;
	const char *why = NULL;
	unsigned wait_s;
	uint32_t uid;
	enum err e = sso_peer_uid(fd, &uid);

	if (e != ERR_OK)
		return e;
	*place_r = find_place(s, uid, &why);
	if (*place_r == NULL) {
		say_no(fd, "busy", why);
		return ERR_BUSY;
	}
	e = sso_peer_look_up(&s->people, uid, &peer, &why);
	if (e != ERR_OK) {
		log_debug("uid %u: %s", uid, why != NULL ? why : err_text(e));
		say_no(fd, word_for(e),
		    why != NULL ? why : "It cannot be told now who you are. Try again in a minute.");
		return e;
	}
	wait_s =
	    sso_rate_count(&s->rate, uid, peer.may_name ? SSO_RATE_TRUSTED_MAX : SSO_RATE_MAX, mono_now());
	if (wait_s > 0) {
		char text[80];

		(void)snprintf(text, sizeof(text), "Too many requests. Try again in %u seconds.", wait_s);
		say_no(fd, "busy", text);
		return ERR_BUSY;
	}
	**place_r =
	    (struct connection){.fd = fd, .peer = peer, .deadline = mono_after(mono_now(), SSO_DEADLINE_MS)};
	return ERR_OK;
}

static void take_all(struct sso_socket *s)
{
	struct connection *place;
	int fd;

	/* as many as there are places, before those who have spoken are heard */
	for (unsigned i = 0; i < SSO_CONNECTIONS; i++) {
		fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			break;
		if (admit(s, fd, &place) != ERR_OK)
			(void)close(fd);
	}
}

static void end_late(struct sso_socket *s)
{
	for (size_t i = 0; i < SSO_CONNECTIONS; i++) {
		struct connection *c = &s->connections[i];

		if (c->fd >= 0 && mono_left_ms(c->deadline) == 0) {
			say_no(c->fd, "refused", "The request took too long.");
			hang_up(c);
		}
	}
}

/* Waits for something to do.  The first of polls is the socket, the others are the connections'. */
static int wait(const struct sso_socket *s, struct pollfd polls[SSO_CONNECTIONS + 1], const sigset_t *mask)
{
	struct timespec limit;
	int left = -1;

	polls[0] = (struct pollfd){.fd = s->fd, .events = POLLIN};
	for (size_t i = 0; i < SSO_CONNECTIONS; i++) {
		const struct connection *c = &s->connections[i];

		polls[i + 1] = (struct pollfd){.fd = c->fd, .events = POLLIN};
		if (c->fd >= 0 && (left < 0 || mono_left_ms(c->deadline) < left))
			left = mono_left_ms(c->deadline);
	}
	limit = (struct timespec){.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000L};
	return ppoll(polls, SSO_CONNECTIONS + 1, left < 0 ? NULL : &limit, mask);
}

void sso_socket_serve(struct web *web, int fd, const volatile sig_atomic_t *stopping)
{
	struct sso_socket *s = mem_alloc(sizeof(*s));
	struct pollfd polls[SSO_CONNECTIONS + 1];
	sigset_t stops, before;

	s->web = web;
	s->fd = fd;
	sso_people_read(&s->people, LOGIN_DEFS, &web->conf->sso_trusted_users);
	for (size_t i = 0; i < SSO_CONNECTIONS; i++)
		s->connections[i].fd = -1;
	sigemptyset(&stops);
	sigaddset(&stops, SIGTERM);
	sigaddset(&stops, SIGINT);
	sigaddset(&stops, SIGUSR1);
	sigprocmask(SIG_BLOCK, &stops, &before);
	while (!*stopping) {
		int n = wait(s, polls, &before);

		if (n < 0 && errno != EINTR)
			log_fatal("poll: %s", strerror(errno));
		/* neither the database nor the directory of users may hold us for ever */
		web->alive();
		for (size_t i = 0; n > 0 && i < SSO_CONNECTIONS; i++)
			if (polls[i + 1].fd >= 0 && polls[i + 1].revents != 0)
				read_more(s, &s->connections[i]);
		end_late(s);
		if (n > 0 && polls[0].revents != 0)
			take_all(s);
		(void)alarm(0);
	}
	for (size_t i = 0; i < SSO_CONNECTIONS; i++)
		if (s->connections[i].fd >= 0)
			hang_up(&s->connections[i]);
	sigprocmask(SIG_SETMASK, &before, NULL);
	free(s);
}

static bool listens(int fd)
{
	int domain = 0, accepts = 0;
	socklen_t len = sizeof(domain);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &len) == 0 && accepts != 0;
}

static int make(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct stat st;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		log_fatal("socket: %s", strerror(errno));
	if ((size_t)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path) >= sizeof(un.sun_path))
		log_fatal("sso_socket = \"%s\" is too long for a socket", path);
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(path);
	if (bind(fd, (const struct sockaddr *)(const void *)&un, sizeof(un)) != 0 || chmod(path, 0666) != 0 ||
	    listen(fd, SOMAXCONN) != 0)
		log_fatal("sso_socket = \"%s\": %s", path, strerror(errno));
	return fd;
}

int sso_socket_open(const struct conf *conf)
{
	int fd = STDIN_FILENO;

	if (!listens(fd))
		return make(conf->sso_socket);
	/* a client that goes before it is accepted must not hold the loop */
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
		log_fatal("descriptor 0: %s", strerror(errno));
	return fd;
}
