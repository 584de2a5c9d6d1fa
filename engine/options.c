#include "engine/options.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/parse.h"
#include "engine/options_rules.h"

enum kind {
	KIND_STRING,   /* const char * */
	KIND_COUNT,    /* unsigned, 1 or more */
	KIND_SIZE,     /* uint64_t */
	KIND_LIST,     /* struct word_list */
	KIND_SWITCH,   /* bool, --name and --noname */
	KIND_SSL,      /* --sslN, --nosslN */
	KIND_TLS,      /* --tlsN, --notlsN */
	KIND_SSLARG,   /* --sslargsN key=value */
	KIND_VERIFY,   /* --verify, --verify=size, --verify=content, --noverify */
	KIND_COMPRESS, /* --compress auto|on|off */
	KIND_AUTHMECH, /* enum imap_mechanism */
	KIND_REFUSED,  /* known, not offered, why */
	KIND_ALWAYS,   /* a switch of imapsync's that is always on here */
	KIND_IGNORED,  /* a switch of imapsync's that changes nothing here */
};

struct option_row {
	const char *name;
	enum kind kind;
	unsigned char side; /* 0 or 1 for KIND_SSL, KIND_TLS and KIND_SSLARG */
	size_t at;          /* where in struct options */
	const char *why;    /* KIND_REFUSED, KIND_ALWAYS: why not otherwise */
};

#define AT(field) offsetof(struct options, field)

#define WHY_READABLE "other users of this machine could read it; use --passfileN"
#define WHY_CODE "its value would be run as a program"
#define WHY_SOURCE "nothing is ever deleted on host1"
#define WHY_WHOLE "what others put there meanwhile would go, too"
#define WHY_SAME "messages that look alike need not be the same; --verify tells which are"

static const struct option_row rows[] = {
    {.name = "host1", .kind = KIND_STRING, .at = AT(side[0].host)},
    {.name = "host2", .kind = KIND_STRING, .at = AT(side[1].host)},
    {.name = "user1", .kind = KIND_STRING, .at = AT(side[0].user)},
    {.name = "user2", .kind = KIND_STRING, .at = AT(side[1].user)},
    {.name = "passfile1", .kind = KIND_STRING, .at = AT(side[0].passfile)},
    {.name = "passfile2", .kind = KIND_STRING, .at = AT(side[1].passfile)},
    {.name = "oauthaccesstoken1", .kind = KIND_STRING, .at = AT(side[0].token_file)},
    {.name = "oauthaccesstoken2", .kind = KIND_STRING, .at = AT(side[1].token_file)},
    {.name = "authuser1", .kind = KIND_STRING, .at = AT(side[0].auth_user)},
    {.name = "authuser2", .kind = KIND_STRING, .at = AT(side[1].auth_user)},
    {.name = "authmech1", .kind = KIND_AUTHMECH, .at = AT(side[0].mechanism)},
    {.name = "authmech2", .kind = KIND_AUTHMECH, .at = AT(side[1].mechanism)},
    {.name = "port1", .kind = KIND_COUNT, .at = AT(side[0].port)},
    {.name = "port2", .kind = KIND_COUNT, .at = AT(side[1].port)},
    {.name = "timeout1", .kind = KIND_COUNT, .at = AT(side[0].timeout_s)},
    {.name = "timeout2", .kind = KIND_COUNT, .at = AT(side[1].timeout_s)},
    {.name = "ssl1", .kind = KIND_SSL, .side = 0},
    {.name = "ssl2", .kind = KIND_SSL, .side = 1},
    {.name = "tls1", .kind = KIND_TLS, .side = 0},
    {.name = "tls2", .kind = KIND_TLS, .side = 1},
    {.name = "sslargs1", .kind = KIND_SSLARG, .side = 0},
    {.name = "sslargs2", .kind = KIND_SSLARG, .side = 1},
    {.name = "folder", .kind = KIND_LIST, .at = AT(folders)},
    {.name = "include", .kind = KIND_LIST, .at = AT(includes)},
    {.name = "exclude", .kind = KIND_LIST, .at = AT(excludes)},
    {.name = "folderrec", .kind = KIND_LIST, .at = AT(trees)},
    {.name = "f1f2", .kind = KIND_LIST, .at = AT(renames)},
    {.name = "subfolder1", .kind = KIND_STRING, .at = AT(side[0].below)},
    {.name = "subfolder2", .kind = KIND_STRING, .at = AT(side[1].below)},
    {.name = "prefix1", .kind = KIND_STRING, .at = AT(side[0].prefix)},
    {.name = "prefix2", .kind = KIND_STRING, .at = AT(side[1].prefix)},
    {.name = "sep1", .kind = KIND_STRING, .at = AT(side[0].separator)},
    {.name = "sep2", .kind = KIND_STRING, .at = AT(side[1].separator)},
    {.name = "tmpdir", .kind = KIND_STRING, .at = AT(tmpdir)},
    {.name = "pidfile", .kind = KIND_STRING, .at = AT(pidfile)},
    {.name = "state", .kind = KIND_STRING, .at = AT(state)},
    {.name = "compress", .kind = KIND_COMPRESS, .at = AT(compress)},
    {.name = "maxsize", .kind = KIND_SIZE, .at = AT(maxsize)},
    {.name = "minsize", .kind = KIND_SIZE, .at = AT(minsize)},
    {.name = "maxage", .kind = KIND_COUNT, .at = AT(max_age_days)},
    {.name = "minage", .kind = KIND_COUNT, .at = AT(min_age_days)},
    {.name = "search", .kind = KIND_STRING, .at = AT(search)},
    {.name = "search1", .kind = KIND_STRING, .at = AT(search)},
    {.name = "useheader", .kind = KIND_LIST, .at = AT(identity_fields)},
    {.name = "delete2", .kind = KIND_SWITCH, .at = AT(delete2)},
    {.name = "maxdelete", .kind = KIND_COUNT, .at = AT(max_delete)},
    {.name = "deletedigest", .kind = KIND_STRING, .at = AT(delete_digest)},
    {.name = "syncflags", .kind = KIND_SWITCH, .at = AT(sync_flags)},
    {.name = "syncduplicates", .kind = KIND_ALWAYS, .why = "a message is there as often as on host1"},
    {.name = "maxbytespersecond", .kind = KIND_SIZE, .at = AT(bytes_per_s)},
    {.name = "maxmessagespersecond", .kind = KIND_SIZE, .at = AT(messages_per_s)},
    {.name = "exitwhenover", .kind = KIND_SIZE, .at = AT(exitwhenover)},
    {.name = "errorsmax", .kind = KIND_COUNT, .at = AT(errors_max)},
    {.name = "connections", .kind = KIND_COUNT, .at = AT(connections)},
    {.name = "dry", .kind = KIND_SWITCH, .at = AT(dry)},
    {.name = "automap", .kind = KIND_SWITCH, .at = AT(automap)},
    {.name = "subscribe", .kind = KIND_SWITCH, .at = AT(subscribe)},
    {.name = "subscribeall", .kind = KIND_SWITCH, .at = AT(subscribe_all)},
    {.name = "subscribe_all", .kind = KIND_SWITCH, .at = AT(subscribe_all)},
    {.name = "foldersizes", .kind = KIND_SWITCH, .at = AT(folder_sizes)},
    {.name = "foldersizesatend", .kind = KIND_SWITCH, .at = AT(folder_sizes_at_end)},
    {.name = "resyncflags", .kind = KIND_SWITCH, .at = AT(resync_flags)},
    {.name = "justlogin", .kind = KIND_SWITCH, .at = AT(just_login)},
    {.name = "justfolders", .kind = KIND_SWITCH, .at = AT(just_folders)},
    {.name = "justfoldersizes", .kind = KIND_SWITCH, .at = AT(just_folder_sizes)},
    {.name = "verify", .kind = KIND_VERIFY},
    {.name = "json", .kind = KIND_SWITCH, .at = AT(json)},
    {.name = "newerthan", .kind = KIND_SIZE, .at = AT(newer_than_s)},
    {.name = "foldermap", .kind = KIND_STRING, .at = AT(folder_map)},
    {.name = "version", .kind = KIND_SWITCH, .at = AT(version)},
    {.name = "help", .kind = KIND_SWITCH, .at = AT(help)},
    {.name = "password1", .kind = KIND_REFUSED, .why = WHY_READABLE},
    {.name = "password2", .kind = KIND_REFUSED, .why = WHY_READABLE},
    {.name = "regextrans2", .kind = KIND_REFUSED, .why = WHY_CODE},
    {.name = "regexmess", .kind = KIND_REFUSED, .why = WHY_CODE},
    {.name = "regexflag", .kind = KIND_REFUSED, .why = WHY_CODE},
    {.name = "skipmess", .kind = KIND_REFUSED, .why = WHY_CODE},
    {.name = "pipemess", .kind = KIND_REFUSED, .why = WHY_CODE},
    {.name = "delete1", .kind = KIND_REFUSED, .why = WHY_SOURCE},
    {.name = "expunge1", .kind = KIND_REFUSED, .why = WHY_SOURCE},
    {.name = "delete1emptyfolders", .kind = KIND_REFUSED, .why = WHY_SOURCE},
    {.name = "expunge2", .kind = KIND_REFUSED, .why = WHY_WHOLE},
    {.name = "delete2folders", .kind = KIND_REFUSED, .why = WHY_WHOLE},
    {.name = "delete2foldersonly", .kind = KIND_REFUSED, .why = WHY_WHOLE},
    {.name = "delete2foldersbutnot", .kind = KIND_REFUSED, .why = WHY_WHOLE},
    {.name = "delete2duplicates", .kind = KIND_REFUSED, .why = WHY_SAME},
    {.name = "addheader", .kind = KIND_IGNORED},
    {.name = "trylogin", .kind = KIND_IGNORED},
    {.name = "log", .kind = KIND_IGNORED},
    {.name = "releasecheck", .kind = KIND_IGNORED},
    {.name = "modulesversion", .kind = KIND_IGNORED},
    {.name = "modules_version", .kind = KIND_IGNORED},
    {.name = "modules-version", .kind = KIND_IGNORED},
    {.name = "dockercontext", .kind = KIND_IGNORED},
    {.name = "syncinternaldates", .kind = KIND_IGNORED},
    {.name = "errorsdump", .kind = KIND_IGNORED},
    {.name = "keepalive1", .kind = KIND_IGNORED},
    {.name = "keepalive2", .kind = KIND_IGNORED},
    {.name = "noid", .kind = KIND_IGNORED},
};

/* What --ssl and --tls said, until all is read. */
struct security_words {
	signed char ssl; /* 1 --sslN, -1 --nosslN, 0 unsaid */
	signed char tls;
};

struct parsing {
	struct options *o;
	struct arena *arena;
	struct buf *reason;
	struct security_words security[2];
};

static const struct option_row *row_named(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strlen(rows[i].name) == len && memcmp(rows[i].name, name, len) == 0)
			return &rows[i];
	}
	return NULL;
}

static bool takes_value(enum kind k)
{
	return k == KIND_STRING || k == KIND_COUNT || k == KIND_SIZE || k == KIND_LIST || k == KIND_SSLARG ||
	       k == KIND_AUTHMECH || k == KIND_COMPRESS;
}

static void list_add(struct arena *a, struct word_list *l, const char *word)
{
	const char **words = arena_array(a, l->count + 1, sizeof(*words));
	if (l->count > 0)
		memcpy(words, l->words, l->count * sizeof(*words));
	words[l->count] = word;
	l->words = words;
	l->count++;
}

/* Of IO::Socket::SSL's arguments those that make sense here. */
static enum err parse_sslarg(struct parsing *p, const struct option_row *row, const char *value)
{
	struct side_options *side = &p->o->side[row->side];
	size_t key = strcspn(value, "=");
	const char *setting = value[key] == '=' ? value + key + 1 : "";
	const char *name = arena_strndup(p->arena, value, key);

	if (strcmp(name, "SSL_verify_mode") == 0 &&
	    (strcmp(setting, "0") == 0 || strcmp(setting, "1") == 0)) {
		side->verify = setting[0] == '1';
		return ERR_OK;
	}
	if (strcmp(name, "SSL_ca_file") == 0 && setting[0] != '\0') {
		side->ca_file = setting;
		return ERR_OK;
	}
	if (strcmp(name, "SSL_verifycn_scheme") == 0 && strcmp(setting, "imap") == 0)
		return ERR_OK;
	if ((strcmp(name, "SSL_hostname") == 0 || strcmp(name, "SSL_verifycn_name") == 0) &&
	    setting[0] != '\0') {
		if (side->tls_name == NULL || strcmp(side->tls_name, setting) == 0) {
			side->tls_name = setting;
			return ERR_OK;
		}
	}
	buf_addf(p->reason,
	    "Value \"%s\" invalid for option %s (SSL_verify_mode=0|1, SSL_ca_file=PATH, SSL_hostname, "
	    "SSL_verifycn_name, SSL_verifycn_scheme=imap)\n",
	    value, row->name);
	return ERR_INVALID;
}

static enum err parse_compress(struct parsing *p, const char *value)
{
	static const char *const words[] = {
	    [COMPRESS_AUTO] = "auto", [COMPRESS_ON] = "on", [COMPRESS_OFF] = "off"};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(value, words[i]) == 0) {
			p->o->compress = (enum compress_mode)i;
			return ERR_OK;
		}
	}
	buf_addf(p->reason, "Value \"%s\" invalid for option compress (auto, on or off expected)\n", value);
	return ERR_INVALID;
}

static enum err parse_authmech(
    struct parsing *p, const struct option_row *row, const char *value, char *field)
{
	enum imap_mechanism m;

	if (imap_mechanism_named(value, &m) == ERR_OK) {
		memcpy(field, &m, sizeof(m));
		return ERR_OK;
	}
	buf_addf(p->reason,
	    "Value \"%s\" invalid for option %s (PLAIN, LOGIN, SCRAM-SHA-256, XOAUTH2 or OAUTHBEARER "
	    "expected)\n",
	    value, row->name);
	return ERR_INVALID;
}

static enum err set_value(struct parsing *p, const struct option_row *row, const char *value)
{
	char *field = (char *)p->o + row->at;
	uint64_t number = 0;

	switch (row->kind) {
	case KIND_STRING: memcpy(field, &value, sizeof(value)); return ERR_OK;
	case KIND_LIST: list_add(p->arena, (struct word_list *)(void *)field, value); return ERR_OK;
	case KIND_SSLARG: return parse_sslarg(p, row, value);
	case KIND_AUTHMECH: return parse_authmech(p, row, value, field);
	case KIND_COMPRESS: return parse_compress(p, value);
	case KIND_SIZE:
		if (parse_u64(value, 0, UINT64_MAX, &number) == ERR_OK) {
			memcpy(field, &number, sizeof(number));
			return ERR_OK;
		}
		break;
	case KIND_COUNT:
		if (parse_u64(value, 1, INT_MAX, &number) == ERR_OK) {
			unsigned n = (unsigned)number;
			memcpy(field, &n, sizeof(n));
			return ERR_OK;
		}
		break;
	default: return ERR_INTERNAL;
	}
	buf_addf(p->reason, "Value \"%s\" invalid for option %s (number expected)\n", value, row->name);
	return ERR_INVALID;
}

static void set_switch(struct parsing *p, const struct option_row *row, bool on)
{
	if (row->kind == KIND_SWITCH)
		memcpy((char *)p->o + row->at, &on, sizeof(on));
	else if (row->kind == KIND_SSL)
		p->security[row->side].ssl = on ? 1 : -1;
	else if (row->kind == KIND_TLS)
		p->security[row->side].tls = on ? 1 : -1;
}

static enum err set_verify(struct parsing *p, const char *value, bool on)
{
	if (value == NULL || (on && strcmp(value, "size") == 0)) {
		p->o->verify = on ? VERIFY_SIZE : VERIFY_OFF;
		return ERR_OK;
	}
	if (on && strcmp(value, "content") == 0) {
		p->o->verify = VERIFY_CONTENT;
		return ERR_OK;
	}
	buf_addf(p->reason, "Value \"%s\" invalid for option verify (size or content expected)\n", value);
	return ERR_INVALID;
}

/* One word that begins with "--"; *i moves on when the value is the next word. */
static enum err parse_word(struct parsing *p, int argc, char **argv, int *i)
{
	const char *name = argv[*i] + 2;
	size_t len = strcspn(name, "=");
	const char *value = name[len] == '=' ? name + len + 1 : NULL;
	bool on = true;

	const struct option_row *row = row_named(name, len);
	if (row == NULL && len > 2 && memcmp(name, "no", 2) == 0) {
		size_t skip = name[2] == '-' ? 3 : 2;
		row = row_named(name + skip, len - skip);
		on = false;
		if (row != NULL && takes_value(row->kind))
			row = NULL;
	}
	if (row == NULL) {
		buf_addf(p->reason, "Unknown option: %.*s\n", (int)len, name);
		return ERR_INVALID;
	}
	if (row->kind == KIND_REFUSED || (row->kind == KIND_ALWAYS && !on)) {
		buf_addf(p->reason, "Option %.*s is refused: %s\n", (int)len, name, row->why);
		/* a password may look like an option: it must not be taken for one, and be told */
		*i += value == NULL && strncmp(row->name, "password", 8) == 0;
		return ERR_INVALID;
	}
	if (row->kind == KIND_VERIFY)
		return set_verify(p, value, on);
	if (!takes_value(row->kind)) {
		if (value != NULL) {
			buf_addf(p->reason, "Option %s does not take an argument\n", row->name);
			return ERR_INVALID;
		}
		set_switch(p, row, on);
		return ERR_OK;
	}
	if (value == NULL) {
		if (*i + 1 >= argc) {
			buf_addf(p->reason, "Option %s requires an argument\n", row->name);
			return ERR_INVALID;
		}
		value = argv[++*i];
	}
	return set_value(p, row, value);
}

/* 993 is TLS, all else STARTTLS, and clear text only when both are refused by name. */
static enum imap_security decide_security(const struct security_words *w, unsigned port)
{
	if (w->ssl > 0)
		return IMAP_SECURITY_TLS;
	if (w->tls > 0)
		return IMAP_SECURITY_STARTTLS;
	if (w->ssl < 0 && w->tls < 0)
		return IMAP_SECURITY_NONE;
	if (w->ssl < 0)
		return IMAP_SECURITY_STARTTLS;
	if (w->tls < 0)
		return IMAP_SECURITY_TLS;
	return port == 0 || port == 993 ? IMAP_SECURITY_TLS : IMAP_SECURITY_STARTTLS;
}

static enum err check_side(struct parsing *p, unsigned n)
{
	struct side_options *s = &p->o->side[n];
	const struct {
		const char *name;
		const char *value;
	} needed[] = {{"host", s->host}, {"user", s->user},
	    {"passfile", s->token_file != NULL ? s->token_file : s->passfile}};
	enum err e = ERR_OK;

	for (size_t i = 0; i < 3; i++) {
		if (needed[i].value == NULL || needed[i].value[0] == '\0') {
			buf_addf(p->reason, "Option %s%u is needed\n", needed[i].name, n + 1);
			e = ERR_INVALID;
		}
	}
	if (s->port > 65535) {
		buf_addf(p->reason, "Value \"%u\" invalid for option port%u (1 to 65535 expected)\n", s->port,
		    n + 1);
		e = ERR_INVALID;
	}
	if (s->tls_name != NULL && s->host != NULL && strcmp(s->tls_name, s->host) != 0 &&
	    parse_is_address(s->host)) {
		s->address = s->host;
		s->host = s->tls_name;
	} else if (s->tls_name != NULL && s->host != NULL && strcmp(s->tls_name, s->host) != 0) {
		buf_addf(p->reason, "Option sslargs%u names another host [%s] than host%u [%s]\n", n + 1,
		    s->tls_name, n + 1, s->host);
		e = ERR_INVALID;
	}
	s->security = decide_security(&p->security[n], s->port);
	if (s->port == 0)
		s->port = s->security == IMAP_SECURITY_TLS ? 993 : 143;
	return e;
}

enum err options_parse(struct options *o, int argc, char **argv, struct arena *a, struct buf *reason)
{
	struct parsing p = {.o = o, .arena = a, .reason = reason};
	struct word_list strays = {0};
	enum err e = ERR_OK;

	*o = (struct options){
	    .side = {{.timeout_s = 120, .verify = true}, {.timeout_s = 120, .verify = true}},
	    .errors_max = 50,
	    .connections = 2,
	    .subscribe = true,
	    .folder_sizes = true,
	    .folder_sizes_at_end = true,
	    .resync_flags = true,
	    .sync_flags = true,
	};
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--", 2) == 0 && argv[i][2] != '\0') {
			if (parse_word(&p, argc, argv, &i) != ERR_OK)
				e = ERR_INVALID;
		} else {
			list_add(a, &strays, argv[i]);
		}
	}
	/* Behind an option that was not understood they may be its value, a password even. */
	if (strays.count > 0 && e == ERR_OK) {
		buf_addf(reason, "Found %u extra arguments : [", strays.count);
		for (unsigned i = 0; i < strays.count; i++)
			buf_addf(reason, "%s%s", i > 0 ? "] [" : "", strays.words[i]);
		buf_adds(reason,
		    "]\nIt usually means a quoting issue in the command line or some misspelling options.\n");
	}
	if (strays.count > 0)
		e = ERR_INVALID;
	if (e == ERR_OK)
		e = options_rules(o, reason);
	if (e == ERR_OK && !o->version && !o->help) {
		enum err source = check_side(&p, 0);
		enum err destination = check_side(&p, 1);
		e = source != ERR_OK ? source : destination;
	}
	return e;
}
