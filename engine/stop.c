#include "config.h"

#include "engine/stop.h"

#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t asked;
static volatile sig_atomic_t is_opening;
static volatile sig_atomic_t sockets[STOP_SOCKETS_MAX]; /* the descriptor plus 1; 0 for none */

static void on_signal(int signal)
{
	if (is_opening || asked != 0) {
		struct sigaction plain = {.sa_handler = SIG_DFL};
		(void)sigaction(SIGTERM, &plain, NULL);
		(void)kill(getpid(), SIGTERM);
		return;
	}
	asked = signal;
	for (unsigned i = 0; i < STOP_SOCKETS_MAX; i++) {
		if (sockets[i] > 0)
			(void)shutdown(sockets[i] - 1, SHUT_RDWR);
	}
}

void stop_install(void)
{
	static const int signals[] = {SIGTERM, SIGQUIT, SIGINT, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal};
	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)sigaction(signals[i], &action, NULL);
	action.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &action, NULL);
}

int stop_signal(void)
{
	return asked;
}

void stop_pause(unsigned seconds)
{
	const struct timespec tenth = {.tv_nsec = 100 * 1000 * 1000};
	for (unsigned i = 0; i < seconds * 10 && asked == 0; i++)
		(void)nanosleep(&tenth, NULL);
}

const char *stop_signal_name(int signal)
{
	switch (signal) {
	case SIGTERM: return "TERM";
	case SIGQUIT: return "QUIT";
	case SIGINT: return "INT";
	default: return "HUP";
	}
}

void stop_watch(unsigned connection, int fd)
{
	sockets[connection] = fd + 1;
}

void stop_opening(bool opening)
{
	(void)__atomic_fetch_add(&is_opening, opening ? 1 : -1, __ATOMIC_SEQ_CST);
}

void stop_die(void)
{
	(void)signal(SIGTERM, SIG_DFL);
	(void)raise(SIGTERM);
}
