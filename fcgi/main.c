/*
 * mailconvoy-web: answers FastCGI requests on descriptor 0, one after the other, as one of several processes
 * that spawn-fcgi, multiwatch or systemd start side by side; or, as one process, what is asked of the local
 * socket (sso_socket.h).  The only file that knows libfcgi.
 */
#include "config.h"

#include <errno.h>
#include <fcgiapp.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fcgi/route.h"
#include "fcgi/serve.h"
#include "fcgi/site.h"
#include "fcgi/sso_socket.h"
#include "fcgi/web.h"
#include "lib/clock.h"
#include "lib/conf.h"
#include "lib/log.h"

enum {
	RECYCLE_REQUESTS = 10000, /* give all memory back from time to time */
	RECYCLE_MIN_S = 60, /* but not sooner: multiwatch gives up on a child that ends again within 10 s */
	STUCK_S = 60        /* no byte moved for so long: end, and be started anew */
};

static volatile sig_atomic_t stopping;

static void on_stop(int sig)
{
	(void)sig;
	stopping = 1;
	FCGX_ShutdownPending();
}

static void catch_signals(void)
{
	struct sigaction stop = {.sa_handler = on_stop};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	/* without SA_RESTART, so that accept(2) returns */
	sigemptyset(&stop.sa_mask);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGUSR1, &stop, NULL);
	sigemptyset(&ignore.sa_mask);
	sigaction(SIGPIPE, &ignore, NULL);
	/* SIGALRM keeps its default: the process ends, whoever manages it starts another */
}

/* Passwords pass through this memory: it must not land in a core file, nor be read by another process. */
static void keep_memory_private(void)
{
	struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) != 0)
		log_warn("setrlimit");
#ifndef __SANITIZE_ADDRESS__
	/* the leak checker of a sanitized build traces its own process, which this forbids */
	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		log_warn("prctl");
#endif
	umask(077);
}

/*
 * The web must not be able to open what it seals.  Where it can, only because everything runs as one user (a
 * trial on one's own machine), that is said once; where the file is another user's, it is a mistake worth a
 * warning.
 */
static void judge_private_key(const char *file)
{
	struct stat st;

	if (file[0] == '\0' || access(file, R_OK) != 0 || stat(file, &st) != 0)
		return;
	if (st.st_uid == geteuid())
		log_info(
		    "this process could read the private key %s, since it runs as the worker's user", file);
	else
		log_warnx("this process can read the private key %s: run it under a user of its own", file);
}

static void stay_alive(void)
{
	(void)alarm(STUCK_S);
}

static size_t read_body(void *arg, char *dst, size_t len)
{
	FCGX_Request *fr = arg;
	int n = FCGX_GetStr(dst, (int)len, fr->in);

	return n > 0 ? (size_t)n : 0;
}

static enum err write_out(void *arg, const void *bytes, size_t len)
{
	FCGX_Request *fr = arg;
	const char *at = bytes;

	while (len > 0) {
		int piece = len > 65536 ? 65536 : (int)len;

		(void)alarm(STUCK_S);
		if (FCGX_PutStr(at, piece, fr->out) != piece)
			return ERR_CLOSED;
		at += piece;
		len -= (size_t)piece;
	}
	return ERR_OK;
}

static void serve_one(struct web *web, FCGX_Request *fr)
{
	struct request_source src = {.env = fr->envp, .read_body = read_body, .arg = fr};
	struct response_sink sink = {.write = write_out, .arg = fr};
	enum err e;

	(void)alarm(STUCK_S);
	e = serve(web, &src, &sink);
	if (e == ERR_CLOSED)
		log_debug("the client went away");
	else if (e != ERR_OK)
		log_warnx("the answer was cut short: %s", err_text(e));
	FCGX_Finish_r(fr);
	(void)alarm(0);
	log_context(NULL);
}

static void serve_all(struct web *web)
{
	mono_time begun = mono_now();
	FCGX_Request fr;
	unsigned left;

	if (FCGX_Init() != 0 || FCGX_InitRequest(&fr, 0, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		log_fatal("libfcgi does not start");
	if (FCGX_IsCGI())
		log_fatal(
		    "descriptor 0 is no listening socket: start this with spawn-fcgi, multiwatch or systemd");
	/* a tenth of jitter, so that processes started together do not end together */
	left = RECYCLE_REQUESTS - (unsigned)getpid() % (RECYCLE_REQUESTS / 10);
	while (!stopping && FCGX_Accept_r(&fr) == 0) {
		serve_one(web, &fr);
		if (left > 0)
			left--;
		if (left == 0 && mono_diff_ms(begun, mono_now()) > RECYCLE_MIN_S * 1000)
			break;
	}
	FCGX_Free(&fr, 1);
}

static void usage(FILE *to)
{
	fputs("usage: mailconvoy-web [-c FILE] [--sso] [-t | --routes]\n"
	      "  -t  only see whether it could start: configuration and public key\n"
	      "  --routes  print the table of addresses and who may use them\n"
	      "  --sso     answer the local socket for sign-in links instead\n"
	      "Answers FastCGI requests on descriptor 0; see mailconvoy-web(8).\n",
	    to);
}

static const char *parse_options(int argc, char **argv, bool *only_test_r, bool *is_sso_r)
{
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
	    {"help", no_argument, NULL, 'h'}, {"routes", no_argument, NULL, 'r'},
	    {"sso", no_argument, NULL, 's'}, {"test", no_argument, NULL, 't'},
	    {"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};
	const char *file = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "c:htV", longs, NULL)) != -1) {
		switch (c) {
		case 'c': file = optarg; break;
		case 'h': usage(stdout); exit(0);
		case 'r': route_print(site_routes, stdout); exit(0);
		case 's': *is_sso_r = true; break;
		case 't': *only_test_r = true; break;
		case 'V': puts("mailconvoy-web " PACKAGE_VERSION); exit(0);
		default: usage(stderr); exit(64);
		}
	}
	if (optind != argc) {
		usage(stderr);
		exit(64);
	}
	return file;
}

int main(int argc, char **argv)
{
	bool only_test = false, is_sso = false;
	const char *file = parse_options(argc, argv, &only_test, &is_sso);
	struct web *web;

	log_init("mailconvoy-web", 0);
	keep_memory_private();
	catch_signals();
	route_verify(site_routes);
	web = web_open(file);
	judge_private_key(web->conf->private_key_file);
	if (is_sso && web->conf->sso_socket[0] == '\0')
		log_fatal("sso_socket is empty: signing in from this machine is off");
	web->alive = stay_alive;
	if (!only_test && is_sso)
		sso_socket_serve(web, sso_socket_open(web->conf), &stopping);
	else if (!only_test)
		serve_all(web);
	web_close(&web);
	return 0;
}
