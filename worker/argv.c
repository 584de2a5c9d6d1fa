#include "worker/argv.h"

#include <stddef.h>
#include <string.h>

#include "lib/parse.h"
#include "worker/option_words.h"

enum { DIGEST_LEN = 64 };

/* A word that got lost might be --dry: the list grows instead. */
struct words {
	struct arena *a;
	char **word; /* NULL-terminated */
	size_t count, room;
};

static void add(struct words *w, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void add(struct words *w, const char *fmt, ...)
{
	va_list ap;

	if (w->count + 1 >= w->room) {
		size_t room = w->room + 64;
		char **word = arena_array(w->a, room, sizeof(*word));
		if (w->count > 0)
			memcpy(word, w->word, w->count * sizeof(*word));
		w->word = word;
		w->room = room;
	}
	va_start(ap, fmt);
	w->word[w->count++] = arena_vprintf(w->a, fmt, ap);
	va_end(ap);
	w->word[w->count] = NULL;
}

/* Values that end in a line of the IMAP protocol, or in the shell-less argument of a program. */
static bool is_clean(const char *s)
{
	if (s == NULL || s[0] == '\0')
		return false;
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7F)
			return false;
	return true;
}

static bool side_is_valid(const struct argv_side *s)
{
	return is_clean(s->host) && is_clean(s->user) && s->port >= 1 && s->port <= 65535 &&
	       s->passfile_fd > 2;
}

static void add_tls_arguments(struct words *w, int n, const struct argv_side *s, const char *ca_file)
{
	add(w, "--sslargs%d=SSL_verify_mode=%d", n, s->verify ? 1 : 0);
	if (s->verify) {
		add(w, "--sslargs%d=SSL_verifycn_scheme=imap", n);
		add(w, "--sslargs%d=SSL_verifycn_name=%s", n, s->host);
		if (ca_file != NULL && ca_file[0] != '\0')
			add(w, "--sslargs%d=SSL_ca_file=%s", n, ca_file);
	}
	if (!parse_is_address(s->host))
		add(w, "--sslargs%d=SSL_hostname=%s", n, s->host);
}

static void add_side(struct words *w, int n, const struct argv_side *s, const char *ca_file, bool takes_token)
{
	add(w, "--host%d=%s", n, s->host);
	add(w, "--port%d=%u", n, s->port);
	add(w, "--user%d=%s", n, s->user);
	add(w, "--%s%d=/dev/fd/%d", takes_token ? "oauthaccesstoken" : "passfile", n, s->passfile_fd);
	switch (s->security) {
	case ARGV_TLS: add(w, "--ssl%d", n); break;
	case ARGV_STARTTLS: add(w, "--tls%d", n); break;
	case ARGV_NONE:
		add(w, "--nossl%d", n);
		add(w, "--notls%d", n);
		break;
	}
	add_tls_arguments(w, n, s, ca_file);
}

/* Whatever a row says: no deletion of what nobody has confirmed or without a limit, and none by imapsync,
 * which knows no limit. */
static bool delete2_is_valid(const struct argv_job *job)
{
	const struct argv_delete2 *d = &job->delete2;

	if (!d->wanted || job->dry_run)
		return d->max <= 0 && (!d->wanted || job->is_engine);
	return job->is_engine && d->max >= 1 && d->max <= INT32_MAX && d->digest != NULL &&
	       strlen(d->digest) == DIGEST_LEN && strspn(d->digest, "0123456789abcdef") == DIGEST_LEN;
}

static void add_mode(struct words *w, const struct argv_job *job)
{
	if (job->verify != NULL) {
		add(w, "--verify=%s", job->verify);
		add(w, "--newerthan=%lld", (long long)job->began_s);
		if (job->folder_map != NULL)
			add(w, "--foldermap=%s", job->folder_map);
		return;
	}
	if (job->dry_run)
		add(w, "--dry");
	if (job->delete2.wanted)
		add(w, "--delete2");
	if (job->delete2.wanted && !job->dry_run) {
		add(w, "--maxdelete=%lld", (long long)job->delete2.max);
		add(w, "--deletedigest=%s", job->delete2.digest);
	}
}

enum err argv_build(struct arena *a, const struct argv_job *job, char ***argv_r)
{
	static const struct joboptions none;
	const struct joboptions *options = job->options != NULL ? job->options : &none;
	struct words w = {.a = a};

	if (!side_is_valid(&job->source) || !side_is_valid(&job->destination))
		return ERR_INVALID;
	if (!delete2_is_valid(job))
		return ERR_INVALID;
	if (job->program == NULL || job->program[0] != '/' || job->job_dir == NULL || job->job_dir[0] != '/')
		return ERR_INVALID;
	add(&w, "%s", job->program);
	add_side(&w, 1, &job->source, job->ca_file, joboptions_takes_token(options, 0));
	add_side(&w, 2, &job->destination, job->ca_file, joboptions_takes_token(options, 1));
	add(&w, "--notrylogin");
	add(&w, "--addheader");
	add(&w, "--errorsmax=%d", ARGV_ERRORS_MAX);
	add(&w, "--nolog");
	add(&w, "--noreleasecheck");
	add(&w, "--no-modulesversion");
	add(&w, "--nodockercontext");
	add(&w, "--tmpdir=%s", job->job_dir);
	add(&w, "--pidfile=%s/pid", job->job_dir);
	for (char **word = option_words(a, options, job->is_engine, job->began_s); *word != NULL; word++)
		add(&w, "%s", *word);
	add_mode(&w, job);
	*argv_r = w.word;
	return ERR_OK;
}

char **argv_environment(struct arena *a, const char *job_dir)
{
	struct words w = {.a = a};

	add(&w, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	add(&w, "HOME=%s", job_dir);
	add(&w, "TMPDIR=%s", job_dir);
	add(&w, "LC_ALL=C.UTF-8");
	add(&w, "TZ=UTC");
	return w.word;
}
