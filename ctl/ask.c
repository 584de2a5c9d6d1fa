#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/password.h"

static struct termios before_asking;
static const int interruptions[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* Whoever breaks off gets back a terminal that shows what is typed. */
static void break_off(int sig)
{
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_asking);
	(void)raise(sig); /* as it was before: SA_RESETHAND */
}

static void set_echo(bool on)
{
	struct sigaction act = {
	    .sa_handler = on ? SIG_DFL : break_off, .sa_flags = on ? 0 : SA_RESETHAND | SA_NODEFER};
	struct termios t;

	if (!on && tcgetattr(STDIN_FILENO, &before_asking) != 0)
		return;
	sigemptyset(&act.sa_mask);
	t = before_asking;
	if (!on) {
		for (size_t i = 0; i < sizeof(interruptions) / sizeof(interruptions[0]); i++)
			(void)sigaction(interruptions[i], &act, NULL);
		t.c_lflag &= ~(tcflag_t)ECHO;
	}
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &t);
	for (size_t i = 0; on && i < sizeof(interruptions) / sizeof(interruptions[0]); i++)
		(void)sigaction(interruptions[i], &act, NULL);
}

static bool read_line(char *line, size_t size)
{
	if (fgets(line, (int)size, stdin) == NULL)
		return false;
	line[strcspn(line, "\n")] = '\0';
	return true;
}

char *ctl_ask_password(struct ctl *ctl, const char *whose)
{
	char *first = arena_alloc(ctl->a, PASSWORD_MAX_BYTES + 2);
	char *second = arena_alloc(ctl->a, PASSWORD_MAX_BYTES + 2);
	bool ok;

	/* No line of it may stay behind in stdio's buffer. */
	(void)setvbuf(stdin, NULL, _IONBF, 0);
	if (!isatty(STDIN_FILENO)) {
		ok = read_line(first, PASSWORD_MAX_BYTES + 2);
	} else {
		set_echo(false);
		fprintf(stderr, "Password for %s: ", whose);
		ok = read_line(first, PASSWORD_MAX_BYTES + 2);
		fputs("\nOnce more: ", stderr);
		ok = ok && read_line(second, PASSWORD_MAX_BYTES + 2);
		fputc('\n', stderr);
		set_echo(true);
		if (ok && strcmp(first, second) != 0) {
			ctl_complain("the two are not the same; nothing was changed");
			return NULL;
		}
	}
	if (!ok || strlen(first) < PASSWORD_MIN_BYTES || strlen(first) > PASSWORD_MAX_BYTES) {
		ctl_complain("a password has %d to %d bytes; nothing was changed", PASSWORD_MIN_BYTES,
		    PASSWORD_MAX_BYTES);
		return NULL;
	}
	return first;
}

char *ctl_ask_secret(struct ctl *ctl, const char *question, size_t max_bytes)
{
	char *line = arena_alloc(ctl->a, max_bytes + 2);
	bool ok;

	(void)setvbuf(stdin, NULL, _IONBF, 0);
	set_echo(false);
	fputs(question, stderr);
	ok = read_line(line, max_bytes + 2);
	fputc('\n', stderr);
	set_echo(true);
	return ok ? line : NULL;
}

bool ctl_confirm(const char *question)
{
	char line[16];

	fprintf(stderr, "%s Type yes: ", question);
	return read_line(line, sizeof(line)) && strcmp(line, "yes") == 0;
}
