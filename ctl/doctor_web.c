#include "ctl/doctor.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { PANEL_TIMEOUT_S = 5 };

/* The web's socket: there, and not for everybody. */
static void look_at_socket(const struct ctl *ctl)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct stat st;
	int fd;

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s/web.sock", ctl->conf->run_dir);
	if (stat(un.sun_path, &st) != 0) {
		doctor_bad("Start it: systemctl enable --now mailconvoy-web.socket", "no FastCGI socket %s",
		    un.sun_path);
		return;
	}
	if ((st.st_mode & 07) != 0)
		doctor_bad("Anyone on this machine can crash the web through it: chmod 0660 it.",
		    "%s is open to everybody", un.sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)(const void *)&un, sizeof(un)) == 0)
		doctor_good("FastCGI socket %s", un.sun_path);
	else if (errno == EACCES)
		doctor_good("FastCGI socket %s is closed to us", un.sun_path);
	else
		doctor_bad("systemctl status mailconvoy-web says more.", "nobody answers at %s: %s",
		    un.sun_path, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
}

/* Where base_url leads: host (without brackets) and port. */
static void split_url(const char *url, char *host, size_t host_size, char *port, size_t port_size)
{
	const char *at = strstr(url, "://");
	bool is_tls = strncmp(url, "https:", 6) == 0;
	size_t len;

	at = at ? at + 3 : url;
	if (*at == '[') {
		len = strcspn(++at, "]/");
		(void)snprintf(host, host_size, "%.*s", (int)len, at);
		at += len + (at[len] == ']');
	} else {
		len = strcspn(at, ":/");
		(void)snprintf(host, host_size, "%.*s", (int)len, at);
		at += len;
	}
	if (*at == ':')
		(void)snprintf(port, port_size, "%.*s", (int)strspn(at + 1, "0123456789"), at + 1);
	else
		(void)snprintf(port, port_size, "%s", is_tls ? "443" : "80");
}

/* A connected socket, or -1 and why. */
static int dial(const char *host, const char *port, const char **why)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	const struct timeval limit = {.tv_sec = PANEL_TIMEOUT_S};
	struct addrinfo *list;
	int fd = -1;
	int rc = getaddrinfo(host, port, &hints, &list);

	if (rc != 0) {
		*why = gai_strerror(rc);
		return -1;
	}
	for (struct addrinfo *ai = list; ai != NULL && fd < 0; ai = ai->ai_next) {
		fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, ai->ai_protocol);
		if (fd < 0)
			continue;
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
		if (connect(fd, ai->ai_addr, ai->ai_addrlen) != 0) {
			*why = strerror(errno);
			(void)close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(list);
	return fd;
}

/* Whether the sign-in page comes back with 200; answer gets the status line. */
static bool panel_answers(int fd, const char *host, char *answer, size_t size)
{
	char request[512];
	int len = snprintf(
	    request, sizeof(request), "GET /login HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host);
	ssize_t got = -1;

	*answer = '\0';
	if (len > 0 && (size_t)len < sizeof(request) && send(fd, request, (size_t)len, MSG_NOSIGNAL) == len)
		got = recv(fd, answer, size - 1, MSG_WAITALL);
	answer[got > 0 ? got : 0] = '\0';
	answer[strcspn(answer, "\r\n")] = '\0';
	return strncmp(answer, "HTTP/1.1 200", 12) == 0;
}

/* Over https only that somebody listens is looked at: the certificate is the browser's to judge. */
static void look_at_panel(const struct ctl *ctl)
{
	const char *url = ctl->conf->base_url;
	char host[256], port[8], answer[128];
	const char *why = "no answer";
	int fd;

	split_url(url, host, sizeof(host), port, sizeof(port));
	fd = dial(host, port, &why);
	if (fd < 0)
		doctor_bad("Enable the nginx site mailconvoy and reload nginx; is base_url right?",
		    "nobody answers at %s: %s", url, why);
	else if (strncmp(url, "https:", 6) == 0 || panel_answers(fd, host, answer, sizeof(answer)))
		doctor_good("the panel answers at %s", url);
	else if (*answer == '\0')
		doctor_bad("systemctl status mailconvoy-web says more.",
		    "no answer from %s/login within %d s", url, PANEL_TIMEOUT_S);
	else
		doctor_bad("nginx's error log says more: is its upstream the FastCGI socket above?",
		    "%s/login gives “%s” instead of the sign-in page", url, answer);
	if (fd >= 0)
		(void)close(fd);
}

void doctor_web(const struct ctl *ctl)
{
	char found[4096];

	look_at_socket(ctl);
	if (doctor_on_path("nginx", found, sizeof(found)) || access("/usr/sbin/nginx", X_OK) == 0)
		doctor_good("nginx is installed");
	else
		doctor_bad("apt-get install nginx-light, and enable the site mailconvoy.", "no nginx");
	look_at_panel(ctl);
}
