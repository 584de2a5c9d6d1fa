/*
 * Drives imap/ from a script, for the tests in this folder: connects, then runs one command a line from
 * stdin, printing one JSON object for each.  Bytes stand in the strings as Latin-1, so that any byte can be
 * seen.
 *
 *   imaptool probe|run HOST PORT tls|starttls|none verify|noverify CA_FILE TIMEOUT_MS [deny]
 * probe reads two lines: user and password (raw bytes).  "deny" refuses every address.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <json-c/json.h>

#include "imap/probe.h"
#include "imap/session.h"

static json_object *text(const char *bytes, size_t len)
{
	struct buf out AUTO_BUF = BUF_INIT;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];
		if (c < 0x80) {
			buf_addc(&out, (char)c);
		} else {
			buf_addc(&out, (char)(0xC0 | c >> 6));
			buf_addc(&out, (char)(0x80 | (c & 0x3F)));
		}
	}
	return json_object_new_string_len(out.data, (int)out.len);
}

static json_object *plain(const char *s)
{
	return text(s, strlen(s));
}

static void add_int(json_object *o, const char *key, uint64_t n)
{
	json_object_object_add(o, key, json_object_new_int64((int64_t)n));
}

static void say(json_object *o)
{
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	fflush(stdout);
	json_object_put(o);
}

static json_object *outcome(enum err e, const struct imap_failure *f)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "err", plain(err_text(e)));
	json_object_object_add(o, "ok", json_object_new_boolean(e == ERR_OK));
	json_object_object_add(o, "cause", plain(imap_cause_code(f->cause)));
	json_object_object_add(o, "code", plain(f->code));
	json_object_object_add(o, "text", text(f->text, f->text_len));
	return o;
}

static void add_peer(json_object *o, const struct imap_peer *p)
{
	json_object_object_add(o, "address", plain(p->address));
	json_object_object_add(o, "tls_version", plain(p->tls_version));
	json_object_object_add(o, "tls_cipher", plain(p->tls_cipher));
	json_object_object_add(o, "subject", plain(p->cert_subject));
	json_object_object_add(o, "issuer", plain(p->cert_issuer));
	json_object_object_add(o, "names", plain(p->cert_names));
	add_int(o, "expires", (uint64_t)p->cert_expires_s);
}

/* ---- session commands ---- */

static enum err print_row(void *ctx, const struct imap_row *row)
{
	json_object *o = json_object_new_object();

	(void)ctx;
	add_int(o, "uid", row->uid);
	add_int(o, "size", row->size);
	json_object_object_add(o, "flags", plain(row->flags));
	json_object_object_add(o, "date", plain(row->date));
	json_object_object_add(
	    o, "header", text(row->header, row->header_len < 4000 ? row->header_len : 4000));
	add_int(o, "header_len", row->header_len);
	json_object_object_add(o, "cut", json_object_new_boolean(row->header_cut));
	say(o);
	return ERR_OK;
}

struct received {
	struct buf bytes;
	uint64_t announced;
	unsigned begins;
	bool refuse;
};

static enum err on_begin(void *ctx, uint64_t size)
{
	struct received *r = ctx;

	r->announced = size;
	r->begins++;
	return r->refuse ? ERR_FULL : ERR_OK;
}

static enum err on_piece(void *ctx, const char *bytes, size_t len)
{
	struct received *r = ctx;

	buf_add(&r->bytes, bytes, len);
	return ERR_OK;
}

static void print_body(enum err e, struct imap_session *s, uint32_t uid, struct received *r)
{
	json_object *o = outcome(e, imap_session_failure(s));

	add_int(o, "fetched", uid);
	add_int(o, "size", r->announced);
	add_int(o, "begins", r->begins);
	json_object_object_add(o, "body", text(r->bytes.data, r->bytes.len));
	say(o);
	buf_free(&r->bytes);
}

static void read_body(struct imap_session *s, bool refuse)
{
	struct received r = {.bytes = BUF_INIT, .refuse = refuse};
	struct imap_sink sink = {.begin = on_begin, .piece = on_piece, .ctx = &r};
	uint32_t uid;
	enum err e = imap_fetch_body_next(s, &sink, &uid);

	print_body(e, s, uid, &r);
}

static void one_body(struct imap_session *s, uint32_t uid, bool refuse)
{
	struct received r = {.bytes = BUF_INIT, .refuse = refuse};
	struct imap_sink sink = {.begin = on_begin, .piece = on_piece, .ctx = &r};

	print_body(imap_fetch_body(s, uid, &sink), s, uid, &r);
}

/* "body UID"; or, pipelined, "body UID UID …".  "refusebody UID" fails in begin. */
static enum err bodies(struct imap_session *s, char *args, bool refuse)
{
	uint32_t uids[IMAP_PIPELINE_MAX];
	size_t count = 0;

	for (char *save = NULL, *w = strtok_r(args, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		uids[count++] = (uint32_t)strtoul(w, NULL, 10);
	if (count == 1) {
		one_body(s, uids[0], refuse);
		return imap_session_failure(s)->err;
	}
	for (size_t i = 0; i < count; i++) {
		enum err e = imap_fetch_body_send(s, uids[i]);
		if (e != ERR_OK)
			return e;
	}
	for (size_t i = 0; i < count; i++)
		read_body(s, refuse);
	return imap_session_failure(s)->err;
}

/* "append FOLDER|FLAGS|DATE|SIZE|SENT": SIZE announced, SENT bytes of a repeated line sent. */
static enum err append(struct imap_session *s, char *args)
{
	static const char line[] = "Subject: repeated line of a sample\r\n";
	char *field[5] = {args};
	struct imap_appended a;
	enum err e;

	for (int i = 1; i < 5; i++) {
		field[i] = strchr(field[i - 1], '|');
		*field[i]++ = '\0';
	}
	size_t size = strtoul(field[3], NULL, 10), sent = strtoul(field[4], NULL, 10);
	e = imap_append_begin(s, field[0], field[1], field[2][0] ? field[2] : NULL, size);
	while (e == ERR_OK && sent > 0) {
		size_t n = sent < sizeof(line) - 1 ? sent : sizeof(line) - 1;
		e = imap_append_write(s, line, n);
		sent -= n;
	}
	if (e == ERR_OK)
		e = imap_append_finish(s, &a);
	if (e == ERR_OK) {
		json_object *o = json_object_new_object();
		add_int(o, "uidvalidity", a.uidvalidity);
		add_int(o, "uid", a.uid);
		say(o);
	}
	return e;
}

static enum err list(struct imap_session *s, struct arena *a)
{
	struct imap_folder_list l;
	enum err e = imap_list(s, a, &l);

	for (size_t i = 0; e == ERR_OK && i < l.count; i++) {
		json_object *o = json_object_new_object();
		json_object_object_add(o, "name", plain(l.folders[i].name));
		json_object_object_add(o, "delimiter", text(&l.folders[i].delimiter, 1));
		add_int(o, "flags", l.folders[i].flags);
		say(o);
	}
	return e;
}

static enum err select_folder(struct imap_session *s, const char *name, bool read_only)
{
	struct imap_mailbox m;
	enum err e = imap_select(s, name, read_only, &m);

	if (e == ERR_OK) {
		json_object *o = json_object_new_object();
		add_int(o, "exists", m.exists);
		add_int(o, "uidvalidity", m.uidvalidity);
		add_int(o, "uidnext", m.uidnext);
		json_object_object_add(o, "permanent", plain(m.permanent));
		json_object_object_add(o, "any_keyword", json_object_new_boolean(m.any_keyword));
		json_object_object_add(o, "read_only", json_object_new_boolean(m.read_only));
		say(o);
	}
	return e;
}

static enum err status(struct imap_session *s, const char *name)
{
	struct imap_status st;
	enum err e = imap_status(s, name, &st);

	if (e == ERR_OK) {
		json_object *o = json_object_new_object();
		add_int(o, "messages", st.messages);
		add_int(o, "uidnext", st.uidnext);
		add_int(o, "size", st.size_known ? st.size_bytes : 0);
		say(o);
	}
	return e;
}

static enum err quota(struct imap_session *s, const char *name)
{
	struct imap_quota q;
	enum err e = imap_quota(s, name, &q);

	if (e == ERR_OK) {
		json_object *o = json_object_new_object();
		json_object_object_add(o, "known", json_object_new_boolean(q.known));
		add_int(o, "used", q.used_bytes);
		add_int(o, "limit", q.limit_bytes);
		say(o);
	}
	return e;
}

static enum err namespaces(struct imap_session *s, struct arena *a)
{
	struct imap_namespace ns;
	enum err e = imap_namespace(s, a, &ns);

	if (e == ERR_OK) {
		json_object *o = json_object_new_object();
		json_object_object_add(o, "known", json_object_new_boolean(ns.known));
		json_object_object_add(o, "prefix", plain(ns.prefix));
		json_object_object_add(o, "delimiter", text(&ns.delimiter, 1));
		say(o);
	}
	return e;
}

/* "rows FIRST LAST [FIELDS]"; without FIELDS the whole header. */
static enum err rows(struct imap_session *s, char *args)
{
	char *end;
	struct imap_range r = {.first = (uint32_t)strtoul(args, &end, 10)};
	uint64_t n;

	r.last = (uint32_t)strtoul(end, &end, 10);
	end += strspn(end, " ");
	return imap_fetch_rows(s, &r, 1,
	    IMAP_FETCH_SIZE | IMAP_FETCH_FLAGS | IMAP_FETCH_DATE | IMAP_FETCH_HEADER, *end ? end : NULL,
	    print_row, NULL, &n);
}

static enum err store(struct imap_session *s, char *args)
{
	char *flags;
	uint32_t uid = (uint32_t)strtoul(args, &flags, 10);

	return imap_store(s, uid, IMAP_STORE_ADD, flags);
}

/* "auth MECHANISM USER AUTH_USER SECRET", "-" for none; a token where the mechanism takes one. */
static enum err authenticate(struct imap_session *s, char *args)
{
	char *word[4] = {args};
	struct imap_credentials c = {0};

	for (int i = 1; i < 4; i++) {
		word[i] = strchr(word[i - 1], ' ');
		*word[i]++ = '\0';
	}
	(void)!imap_mechanism_named(word[0], &c.mechanism);
	c.user = word[1];
	c.auth_user = strcmp(word[2], "-") != 0 ? word[2] : NULL;
	c.secret = word[3];
	c.secret_len = strlen(word[3]);
	c.token = c.mechanism >= IMAP_AUTH_XOAUTH2 || strcmp(word[0], "token") == 0;
	return imap_authenticate(s, &c);
}

static enum err run(struct imap_session *s, struct arena *a, char *line)
{
	char *args = strchr(line, ' ');

	args = args != NULL ? (*args = '\0', args + 1) : line + strlen(line);
	if (strcmp(line, "login") == 0) {
		char *password = strchr(args, ' ');
		*password++ = '\0';
		return imap_login(s, args, password, strlen(password));
	}
	if (strcmp(line, "auth") == 0)
		return authenticate(s, args);
	if (strcmp(line, "list") == 0)
		return list(s, a);
	if (strcmp(line, "namespace") == 0)
		return namespaces(s, a);
	if (strcmp(line, "id") == 0)
		return imap_id(s, "mailconvoy", "0");
	if (strcmp(line, "select") == 0 || strcmp(line, "examine") == 0)
		return select_folder(s, args, line[0] == 'e');
	if (strcmp(line, "status") == 0)
		return status(s, args);
	if (strcmp(line, "quota") == 0)
		return quota(s, args);
	if (strcmp(line, "rows") == 0)
		return rows(s, args);
	if (strcmp(line, "body") == 0 || strcmp(line, "refusebody") == 0)
		return bodies(s, args, line[0] == 'r');
	if (strcmp(line, "append") == 0)
		return append(s, args);
	if (strcmp(line, "store") == 0)
		return store(s, args);
	if (strcmp(line, "create") == 0)
		return imap_create(s, args);
	if (strcmp(line, "subscribe") == 0)
		return imap_subscribe(s, args);
	if (strcmp(line, "noop") == 0)
		return imap_noop(s);
	fprintf(stderr, "unknown command %s\n", line);
	exit(2);
}

/* ---- start ---- */

static bool deny_all(void *ctx, const struct sockaddr *addr)
{
	(void)ctx;
	(void)addr;
	return false;
}

static char *next_line(char **buffer, size_t *size)
{
	ssize_t n = getline(buffer, size, stdin);

	if (n <= 0)
		return NULL;
	if ((*buffer)[n - 1] == '\n')
		(*buffer)[n - 1] = '\0';
	return *buffer;
}

static int probe(const struct imap_endpoint *ep, int64_t timeout_ms, struct arena *a)
{
	struct imap_probe_request rq = {.host = ep->host,
	    .port = ep->port,
	    .security = ep->security,
	    .verify = ep->verify,
	    .ca_file = ep->ca_file,
	    .timeout_ms = timeout_ms,
	    .allow = ep->allow};
	struct imap_probe_result r;
	char *user = NULL, *password = NULL;
	size_t user_size = 0, password_size = 0;

	rq.user = next_line(&user, &user_size);
	rq.password = next_line(&password, &password_size);
	rq.password_len = strlen(rq.password);
	enum err e = imap_probe(&rq, a, &r);
	json_object *o = json_object_new_object();
	json_object_object_add(o, "ok", json_object_new_boolean(e == ERR_OK));
	json_object_object_add(o, "cause", plain(r.code));
	json_object_object_add(o, "text", plain(r.text));
	json_object_object_add(o, "detail", json_object_new_string(r.detail));
	json_object_object_add(o, "capabilities", plain(r.capabilities));
	add_peer(o, &r.peer);
	if (r.folders_known)
		add_int(o, "folders", r.folders);
	if (r.messages_known)
		add_int(o, "messages", r.inbox_messages);
	if (r.quota_known) {
		add_int(o, "quota_used", r.quota_used_bytes);
		add_int(o, "quota_limit", r.quota_limit_bytes);
	}
	add_int(o, "duration_ms", (uint64_t)r.duration_ms);
	say(o);
	free(user);
	free(password);
	return 0;
}

static void on_trace(void *ctx, bool from_server, const char *line, size_t len)
{
	fprintf(ctx, "%s %.*s\n", from_server ? "S:" : "C:", (int)len, line);
}

static int script(const struct imap_endpoint *ep, int64_t timeout_ms, struct arena *a)
{
	struct imap_options o = {.endpoint = *ep,
	    .connect_ms = timeout_ms,
	    .silence_ms = timeout_ms,
	    .trace = getenv("IMAPTOOL_TRACE") ? on_trace : NULL,
	    .trace_ctx = stderr};
	struct imap_session *s;
	struct imap_failure f;
	struct imap_peer peer;
	char *line = NULL;
	size_t size = 0;
	enum err e = imap_session_open(&o, &s, &f, &peer);
	json_object *first = outcome(e, &f);

	add_peer(first, &peer);
	if (e == ERR_OK)
		json_object_object_add(first, "capabilities", plain(imap_session_capabilities(s)));
	say(first);
	if (e != ERR_OK)
		return 0;
	while (next_line(&line, &size) != NULL) {
		e = run(s, a, line);
		json_object *done = outcome(e, imap_session_failure(s));
		json_object_object_add(done, "alive", json_object_new_boolean(imap_session_alive(s)));
		say(done);
	}
	free(line);
	imap_session_logout(&s);
	return 0;
}

int main(int argc, char **argv)
{
	struct arena *a AUTO_ARENA = arena_new();

	signal(SIGPIPE, SIG_IGN);
	if (argc < 8)
		return 2;
	struct imap_endpoint ep = {.host = argv[2],
	    .port = (uint16_t)atoi(argv[3]),
	    .security = strcmp(argv[4], "tls") == 0        ? IMAP_SECURITY_TLS
			: strcmp(argv[4], "starttls") == 0 ? IMAP_SECURITY_STARTTLS
							   : IMAP_SECURITY_NONE,
	    .verify = strcmp(argv[5], "verify") == 0,
	    .ca_file = argv[6],
	    .allow = argc > 8 ? deny_all : NULL};
	if (strcmp(argv[1], "probe") == 0)
		return probe(&ep, atoi(argv[7]), a);
	return script(&ep, atoi(argv[7]), a);
}
