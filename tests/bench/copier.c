/*
 * copier SOURCE_PORT DESTINATION_PORT USER1 USER2 < password: what the wire and the servers allow one
 * connection on each side, and nothing else: every folder of the source is fetched in one command, its
 * messages pass straight into MULTIAPPENDs (RFC 3502) with non-synchronising literals (RFC 7888).  It matches
 * nothing, checks nothing and is of no use but to be measured beside the engine (tests/bench/engine.py);
 * 127.0.0.1, TLS, certificates are not verified.
 */
#include <ctype.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/ssl.h>

#define LINE_MAX_BYTES 65536
#define FOLDERS_MAX 200
#define GROUP 100 /* messages in one APPEND */

struct side {
	const char *name;
	SSL *ssl;
	char in[65536];
	size_t begin;
	size_t end;
	char out[65536];
	size_t queued;
	unsigned answers_due;
};

static void die(const char *what, const char *detail)
{
	fprintf(stderr, "copier: %s: %s\n", what, detail);
	exit(1);
}

static void flush(struct side *s)
{
	size_t sent = 0;
	while (sent < s->queued) {
		int n = SSL_write(s->ssl, s->out + sent, (int)(s->queued - sent));
		if (n <= 0)
			die(s->name, "cannot be written to");
		sent += (size_t)n;
	}
	s->queued = 0;
}

static void put(struct side *s, const char *bytes, size_t len)
{
	while (len > 0) {
		size_t room = sizeof(s->out) - s->queued;
		size_t n = len < room ? len : room;
		memcpy(s->out + s->queued, bytes, n);
		s->queued += n;
		bytes += n;
		len -= n;
		if (s->queued == sizeof(s->out))
			flush(s);
	}
}

__attribute__((format(printf, 2, 3))) static void say(struct side *s, const char *format, ...)
{
	char text[LINE_MAX_BYTES];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put(s, text, (size_t)n);
}

static size_t available(struct side *s)
{
	if (s->begin == s->end) {
		int n = SSL_read(s->ssl, s->in, sizeof(s->in));
		if (n <= 0)
			die(s->name, "closed the connection");
		s->begin = 0;
		s->end = (size_t)n;
	}
	return s->end - s->begin;
}

/* One line without its end. */
static void get_line(struct side *s, char line[LINE_MAX_BYTES])
{
	size_t len = 0;
	for (;;) {
		size_t n = available(s);
		const char *from = s->in + s->begin;
		const char *newline = memchr(from, '\n', n);
		size_t part = newline != NULL ? (size_t)(newline - from) : n;
		if (len + part >= LINE_MAX_BYTES)
			die(s->name, "sent too long a line");
		memcpy(line + len, from, part);
		len += part;
		s->begin += part + (newline != NULL);
		if (newline == NULL)
			continue;
		if (len > 0 && line[len - 1] == '\r')
			len--;
		line[len] = '\0';
		return;
	}
}

static void answered(const struct side *s, const char *line)
{
	const char *word = strchr(line, ' ');
	if (word == NULL || strncmp(word, " OK", 3) != 0)
		die(s->name, line);
}

/* Sends what is queued and reads to the answer of tag. */
static void finish(struct side *s, const char *tag)
{
	char line[LINE_MAX_BYTES];
	flush(s);
	do
		get_line(s, line);
	while (strncmp(line, tag, strlen(tag)) != 0 || line[strlen(tag)] != ' ');
	answered(s, line);
}

static void open_side(struct side *s, const char *port, const char *user, const char *password)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0)
		die(s->name, "cannot be connected to");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	if (context == NULL || (s->ssl = SSL_new(context)) == NULL || SSL_set_fd(s->ssl, fd) != 1 ||
	    SSL_connect(s->ssl) != 1)
		die(s->name, "does not speak TLS");
	SSL_CTX_free(context);
	char line[LINE_MAX_BYTES];
	get_line(s, line);
	say(s, "l LOGIN \"%s\" \"%s\"\r\n", user, password);
	finish(s, "l");
}

static unsigned list_folders(struct side *s, char *names[FOLDERS_MAX])
{
	char line[LINE_MAX_BYTES];
	unsigned count = 0;
	say(s, "f LIST \"\" *\r\n");
	flush(s);
	for (;;) {
		get_line(s, line);
		if (line[0] == 'f') {
			answered(s, line);
			return count;
		}
		const char *attributes = strchr(line, '(');
		const char *delimiter = attributes != NULL ? strstr(attributes, ") ") : NULL;
		const char *name = delimiter != NULL ? strchr(delimiter + 2, ' ') : NULL;
		if (name == NULL || strcasestr(line, "\\Noselect") != NULL)
			continue;
		if (count == FOLDERS_MAX)
			die(s->name, "has too many folders");
		names[count++] = strdup(name + 1);
	}
}

/* "* 7 FETCH (FLAGS (..) INTERNALDATE ".." BODY[] {123}": what an APPEND says of it, and the size. */
static bool message_begins(
    const char *line, const char **flags_r, int *flags_len_r, const char **date_r, unsigned long *size_r)
{
	const char *flags = strstr(line, "FLAGS (");
	const char *date = strstr(line, "INTERNALDATE \"");
	const char *literal = strrchr(line, '{');
	if (line[0] != '*' || flags == NULL || date == NULL || literal == NULL)
		return false;
	*flags_r = flags + 7;
	*flags_len_r = (int)strcspn(*flags_r, ")");
	*date_r = date + 13;
	*size_r = strtoul(literal + 1, NULL, 10);
	return true;
}

static void pass(struct side *from, struct side *to, unsigned long size)
{
	while (size > 0) {
		size_t n = available(from);
		if (n > size)
			n = size;
		put(to, from->in + from->begin, n);
		from->begin += n;
		size -= n;
	}
}

/* \Recent is nobody's to set, and the only one that begins so. */
static void put_flags(struct side *to, const char *flags, int len)
{
	const char *recent = memmem(flags, (size_t)len, "\\Recent", 7);
	if (recent == NULL) {
		put(to, flags, (size_t)len);
		return;
	}
	const char *rest = recent + 7;
	put(to, flags, (size_t)(recent - flags));
	while (rest < flags + len && *rest == ' ')
		rest++;
	put(to, rest, (size_t)(flags + len - rest));
}

static void copy_folder(struct side *from, struct side *to, const char *name)
{
	char line[LINE_MAX_BYTES];
	unsigned in_group = 0;
	for (;;) {
		const char *flags;
		const char *date;
		int flags_len;
		unsigned long size;
		get_line(from, line);
		if (strncmp(line, "b ", 2) == 0)
			break;
		if (!message_begins(line, &flags, &flags_len, &date, &size))
			continue;
		if (in_group == 0)
			say(to, "a APPEND %s", name);
		put(to, " (", 2);
		put_flags(to, flags, flags_len);
		say(to, ") %.*s {%lu+}\r\n", (int)strcspn(date + 1, "\"") + 2, date, size);
		pass(from, to, size);
		if (++in_group == GROUP) {
			put(to, "\r\n", 2);
			to->answers_due++;
			in_group = 0;
		}
	}
	answered(from, line);
	if (in_group > 0) {
		put(to, "\r\n", 2);
		to->answers_due++;
	}
}

int main(int argc, char **argv)
{
	static struct side from = {.name = "source"};
	static struct side to = {.name = "destination"};
	static char *names[FOLDERS_MAX];
	char password[1000];

	if (argc != 5 || fgets(password, sizeof(password), stdin) == NULL)
		die("usage", "copier SOURCE_PORT DESTINATION_PORT USER1 USER2 < password");
	password[strcspn(password, "\n")] = '\0';
	open_side(&from, argv[1], argv[3], password);
	open_side(&to, argv[2], argv[4], password);
	unsigned count = list_folders(&from, names);
	for (unsigned i = 0; i < count; i++) {
		/* Everything is asked for at once: no round trip but the first is waited for. */
		say(&from, "s EXAMINE %s\r\nb FETCH 1:* (FLAGS INTERNALDATE BODY.PEEK[])\r\n", names[i]);
		if (strcasecmp(names[i], "INBOX") != 0)
			say(&to, "c CREATE %s\r\n", names[i]);
	}
	flush(&from);
	flush(&to);
	for (unsigned i = 0; i < count; i++)
		copy_folder(&from, &to, names[i]);
	say(&to, "z LOGOUT\r\n");
	flush(&to);
	for (bool open = true; open;) {
		char line[LINE_MAX_BYTES];
		get_line(&to, line);
		open = strncmp(line, "z ", 2) != 0;
		if (strncmp(line, "a ", 2) == 0) {
			answered(&to, line);
			to.answers_due--;
		}
	}
	return to.answers_due == 0 ? 0 : 1;
}
