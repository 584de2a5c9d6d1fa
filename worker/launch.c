#include "worker/launch.h"

#include "lib/log.h"
#include "lib/portlist.h"
#include "worker/program.h"

enum {
	FILE_BYTES = 1 << 30,     /* no program of ours writes larger files */
	ADDRESS_SPACE_FACTOR = 2, /* RLIMIT_AS is only the second wall: it counts what was never touched */
};

static struct argv_side argv_side(struct arena *a, const struct job_side *s, int passfile_fd)
{
	static const enum argv_security security[] = {
	    [SECURITY_TLS] = ARGV_TLS, [SECURITY_STARTTLS] = ARGV_STARTTLS, [SECURITY_NONE] = ARGV_NONE};

	return (struct argv_side){.host = arena_strdup(a, s->host),
	    .port = s->port,
	    .security = security[s->security],
	    .verify = s->verify,
	    .user = arena_strdup(a, s->user),
	    .passfile_fd = passfile_fd};
}

static uint64_t address_space(const struct conf *conf)
{
#ifdef __SANITIZE_ADDRESS__
	(void)conf; /* shadow memory alone is terabytes of address space */
	return 0;
#else
	return (uint64_t)conf->run_memory_mb * ADDRESS_SPACE_FACTOR * 1024 * 1024;
#endif
}

void launch_init(struct launch *l, struct arena *a, const struct conf *conf,
    const struct vault_private_key *key, const char *label, const struct queue_job *j)
{
	const char *why;

	*l = (struct launch){
	    .arena = a,
	    .conf = conf,
	    .key = key,
	    .label = label,
	    .account_id = j->job.account_id,
	    .sides = {argv_side(a, &j->job.source, KEEPER_PASSFILE_SOURCE),
		argv_side(a, &j->job.destination, KEEPER_PASSFILE_DESTINATION)},
	    .sealed = {arena_strndup(a, j->src_sealed, j->src_sealed_len),
		arena_strndup(a, j->dst_sealed, j->dst_sealed_len)},
	    .sealed_len = {j->src_sealed_len, j->dst_sealed_len},
	    .vetted = {j->is_src_vetted, j->is_dst_vetted},
	    .is_refused = j->is_dst_refused,
	    .dry_run = j->job.dry_run,
	    .delete2 = {.wanted = j->job.delete2,
		.digest = j->job.delete2_digest != NULL ? arena_strdup(a, j->job.delete2_digest) : NULL,
		.max = j->job.max_delete},
	    .delete2_why = j->is_delete2_refused   ? START_DELETE2_REFUSED
			   : j->is_delete2_changed ? START_DELETE2_CHANGED
						   : START_OK,
	    .began_s = unix_now_s(),
	};
	if (joboptions_read(&l->options, j->job.options, a, &why) != ERR_OK)
		l->options_why = why;
}

static enum err open_password(
    const struct launch *l, enum vault_side side, struct arena *clean, struct keeper_secret *secret_r)
{
	int n = side == VAULT_SOURCE ? SIDE_SOURCE : SIDE_DESTINATION;
	char *plain;
	enum err e = vault_open(l->key, vault_aad(l->arena, l->account_id, side), l->sealed[n],
	    l->sealed_len[n], clean, &plain, &secret_r->len);

	if (e != ERR_OK)
		log_warnx("%s: %s password: %s", l->label, n == SIDE_SOURCE ? "source" : "destination",
		    err_text(e));
	else
		secret_r->bytes = plain;
	return e;
}

/* What the web refused to store may be older than that rule. */
static bool port_is_allowed(const struct launch *l, int side)
{
	const struct conf_list *ports = &l->conf->member_ports;

	return !l->vetted[side] ||
	       portlist_has((const char *const *)ports->items, ports->count, l->sides[side].port);
}

bool launch_keeps_secrets(const struct launch *l)
{
	return joboptions_takes_token(&l->options, 0) || joboptions_takes_token(&l->options, 1);
}

enum start_failure launch(const struct launch *l, const struct launch_program *p, struct keeper *k_r)
{
	AUTO_ARENA struct arena *clean = arena_new_clean();
	const struct conf *conf = l->conf;
	const struct argv_job aj = {
	    .program = p->path,
	    .job_dir = p->job_dir,
	    .ca_file = conf->ca_file,
	    .dry_run = l->dry_run,
	    .delete2 = l->delete2,
	    .verify = p->verify,
	    .folder_map = p->folder_map,
	    .is_engine = program_is_engine(p->path),
	    .options = &l->options,
	    .began_s = l->began_s,
	    .source = l->sides[SIDE_SOURCE],
	    .destination = l->sides[SIDE_DESTINATION],
	};
	struct keeper_plan plan = {
	    .job_dir = p->job_dir,
	    .kill_grace_s = (unsigned)conf->kill_grace_s,
	    .fence = p->fence,
	    .memory_bytes = (uint64_t)conf->run_memory_mb * 1024 * 1024,
	    .address_space_bytes = address_space(conf),
	    .file_bytes = FILE_BYTES,
	    .vet = {l->vetted[SIDE_SOURCE] ? l->sides[SIDE_SOURCE].host : NULL,
		l->vetted[SIDE_DESTINATION] ? l->sides[SIDE_DESTINATION].host : NULL},
	    .deny = &conf->deny_networks,
	};
	char **argv;

	if (l->is_refused)
		return START_REFUSED;
	if (!port_is_allowed(l, SIDE_SOURCE))
		return START_DENIED_SOURCE;
	if (!port_is_allowed(l, SIDE_DESTINATION))
		return START_DENIED_DESTINATION;
	if (l->delete2_why != START_OK)
		return l->delete2_why;
	if (l->options_why != NULL)
		return START_OPTIONS_UNKNOWN;
	if (open_password(l, VAULT_SOURCE, clean, &plan.passwords[SIDE_SOURCE]) != ERR_OK ||
	    open_password(l, VAULT_DESTINATION, clean, &plan.passwords[SIDE_DESTINATION]) != ERR_OK)
		return START_SEAL;
	for (int side = 0; side < 2 && p->redact != NULL; side++)
		redact_add(p->redact, plan.passwords[side].bytes, plan.passwords[side].len);
	if (argv_build(l->arena, &aj, &argv) != ERR_OK)
		return START_INVALID;
	plan.argv = argv;
	plan.envp = argv_environment(l->arena, p->job_dir);
	if (keeper_start(&plan, k_r) != ERR_OK) {
		log_warn("%s: keeper", l->label);
		return START_SYSTEM;
	}
	return START_OK;
}
