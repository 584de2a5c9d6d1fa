#include "fcgi/import_stage.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "fcgi/csv_read.h"
#include "fcgi/import_check.h"
#include "fcgi/import_columns.h"
#include "fcgi/import_seen.h"
#include "lib/joboptions.h"
#include "lib/vault.h"
#include "sql/store_account.h"
#include "sql/store_import.h"

enum { ROWS_PER_SIGN = 256 };

struct stage {
	struct visit *v;
	struct import_check check;
	struct import_writer *writer;
	struct arena *arena; /* of one row */
	const char *source_aad, *destination_aad;
	struct buf *problems; /* of the file as a whole */
	struct buf row_problems, row_text, sealed;
	size_t rows;
	bool has_header;
};

enum err import_stage_servers(struct visit *v, struct server **list_r, size_t *count_r)
{
	struct server *all;
	size_t count, kept = 0;
	enum err e = store_server_list(v->web->db, v->arena, &v->viewer, &all, &count);

	if (e != ERR_OK)
		return e;
	/* an admin sees more servers than jobs of their account may use */
	for (size_t i = 0; i < count; i++)
		if (all[i].account_id == 0 || all[i].account_id == v->viewer.account_id)
			all[kept++] = all[i];
	*list_r = all;
	*count_r = kept;
	return ERR_OK;
}

static enum err seal(struct stage *s, const char *aad, const char *password, struct job_sealed *sealed_r)
{
	enum err e;

	buf_clear(&s->sealed);
	e = vault_seal(s->v->web->key, aad, password, strlen(password), &s->sealed);
	if (e == ERR_OK)
		*sealed_r = (struct job_sealed){
		    .bytes = arena_strndup(s->arena, s->sealed.data, s->sealed.len), .len = s->sealed.len};
	return e;
}

static enum err keep(struct stage *s, const struct csv_row *row, const struct import_mailbox_row *g)
{
	struct import_row r = {.line = row->line,
	    .name = g->name,
	    .dry_run = g->dry_run,
	    .src_server_id = g->src_server_id,
	    .dst_server_id = g->dst_server_id,
	    .src_user = g->mailboxes.src_user,
	    .dst_user = g->mailboxes.dst_user};
	enum err e = seal(s, s->source_aad, g->src_password, &r.src_sealed);

	if (e == ERR_OK)
		e = seal(s, s->destination_aad, g->dst_password, &r.dst_sealed);
	return e == ERR_OK ? store_import_add(s->writer, &r) : e;
}

static enum err keep_bad(struct stage *s, const struct csv_row *row)
{
	buf_clear(&s->row_text);
	import_row_text(&s->check.map, row, &s->row_text);
	return store_import_add_bad(
	    s->writer, &(struct import_bad){
			   .line = row->line, .fields = s->row_text.data, .problems = s->row_problems.data});
}

static enum err take_row(void *arg, const struct csv_row *row)
{
	struct stage *s = arg;
	struct import_mailbox_row good;
	enum err e;

	if (!s->has_header) {
		s->has_header = true;
		return import_map_read(row, &s->check.map, s->problems);
	}
	/* sealing 50,000 rows may take longer than a request usually may */
	if (++s->rows % ROWS_PER_SIGN == 0 && s->v->web->alive != NULL)
		s->v->web->alive();
	arena_reset(s->arena);
	buf_clear(&s->row_problems);
	e = import_check_row(&s->check, s->arena, row, &good, &s->row_problems);
	return e == ERR_OK ? keep(s, row, &good) : e == ERR_INVALID ? keep_bad(s, row) : e;
}

static void note_active(void *arg, const struct import_active *job)
{
	const struct import_mailboxes m = {.src_host = job->src_host,
	    .dst_host = job->dst_host,
	    .src_user = job->src_user,
	    .dst_user = job->dst_user};

	(void)import_seen_add(arg, &m, job->job_id);
}

/* As sql/limits.h: a name, or "*." and a domain; none: anywhere. */
static bool may_receive(const char *host, const char *const *hosts, size_t count)
{
	size_t len = strlen(host);

	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(hosts[i]);

		if (strcasecmp(hosts[i], host) == 0)
			return true;
		if (n > 2 && strncmp(hosts[i], "*.", 2) == 0 && len >= n - 1 &&
		    strcasecmp(host + len - (n - 1), hosts[i] + 1) == 0)
			return true;
	}
	return count == 0;
}

static enum err load_servers(struct stage *s)
{
	struct import_server *servers;
	struct server *list;
	const char *const *hosts;
	size_t count, hosts_count;
	enum err e = import_stage_servers(s->v, &list, &count);

	if (e == ERR_OK)
		e = store_account_hosts(
		    s->v->web->db, s->v->arena, s->v->viewer.account_id, &hosts, &hosts_count);
	if (e != ERR_OK)
		return e;
	servers = arena_array(s->v->arena, count, sizeof(*servers));
	for (size_t i = 0; i < count; i++)
		servers[i] = (struct import_server){.id = list[i].id,
		    .name = list[i].name,
		    .host = list[i].host,
		    .may_receive = may_receive(list[i].host, hosts, hosts_count)};
	s->check.servers = servers;
	s->check.servers_count = count;
	return ERR_OK;
}

static enum err read_file(struct stage *s, int fd)
{
	char *piece = arena_alloc(s->v->rq->secret, CSV_FEED_MAX_BYTES);
	struct csv_reader *reader = csv_reader_new(import_column_names, take_row, s);
	off_t at = 0;
	ssize_t n;
	enum err e = ERR_OK;

	while (e == ERR_OK && (n = pread(fd, piece, CSV_FEED_MAX_BYTES, at)) != 0) {
		if (n > 0) {
			e = csv_reader_feed(reader, piece, (size_t)n);
			at += n;
		} else if (errno != EINTR) {
			e = ERR_IO;
		}
	}
	if (e == ERR_OK)
		e = csv_reader_end(reader);
	if (*csv_reader_problem(reader) != '\0')
		buf_addf(s->problems, "%s\n", csv_reader_problem(reader));
	csv_reader_free(&reader);
	if (e == ERR_OK && s->rows == 0) {
		buf_adds(s->problems,
		    s->has_header ? "There is no row below the header.\n" : "The file is empty.\n");
		e = ERR_INVALID;
	}
	return e;
}

static enum err begin(struct stage *s, struct visit *v, const char *options, struct buf *problems)
{
	bool has_options = options != NULL && *options != '\0';
	struct joboptions o;
	enum err e = joboptions_read(&o, has_options ? options : NULL, v->arena, NULL);

	*s = (struct stage){.v = v,
	    .arena = arena_new_clean(),
	    .source_aad = vault_aad(v->arena, v->viewer.account_id, VAULT_SOURCE),
	    .destination_aad = vault_aad(v->arena, v->viewer.account_id, VAULT_DESTINATION),
	    .problems = problems,
	    .row_problems = BUF_INIT,
	    .row_text = BUF_INIT,
	    .sealed = BUF_INIT,
	    .check.takes_token = {joboptions_takes_token(&o, 0), joboptions_takes_token(&o, 1)}};
	s->check.seen = import_seen_new();
	s->check.active = import_seen_new();
	if (e == ERR_OK)
		e = load_servers(s);
	if (e == ERR_OK)
		e = store_import_active(v->web->db, &v->viewer, note_active, s->check.active);
	return e == ERR_OK ? store_import_begin(v->web->db, &v->viewer, options, &s->writer) : e;
}

/* e: what became of the rows; only if all is well are they kept. */
static enum err end(struct stage *s, enum err e, uint64_t *id_r)
{
	if (e == ERR_OK)
		e = store_import_end(&s->writer, id_r);
	store_import_abandon(&s->writer);
	import_seen_free(&s->check.seen);
	import_seen_free(&s->check.active);
	buf_free(&s->row_problems);
	buf_free(&s->row_text);
	buf_free(&s->sealed);
	arena_free(&s->arena);
	return e;
}

enum err import_stage(struct visit *v, int fd, const char *options, struct buf *problems, uint64_t *id_r)
{
	struct stage s;
	enum err e = begin(&s, v, options, problems);

	if (e == ERR_OK)
		e = read_file(&s, fd);
	e = end(&s, e, id_r);
	/* of the values of a row, all are checked before the store sees them */
	return (e == ERR_INVALID || e == ERR_TOO_BIG) && problems->len == 0 ? ERR_INTERNAL : e;
}

/* What the list's objects may hold, in the order of the columns that it is judged as. */
static const char *const list_names[IMPORT_REASON] = {
    [IMPORT_SOURCE_SERVER] = "source_server_id",
    [IMPORT_SOURCE_EMAIL] = "source_user",
    [IMPORT_SOURCE_PASSWORD] = "source_password",
    [IMPORT_DEST_SERVER] = "dest_server_id",
    [IMPORT_DEST_EMAIL] = "dest_user",
    [IMPORT_DEST_PASSWORD] = "dest_password",
    [IMPORT_NAME] = "name",
    [IMPORT_DRY_RUN] = "dry_run",
};

/* The name of the list for the file's; NULL: the row as a whole. */
static const char *list_name(const char *column, size_t len)
{
	for (int i = 0; i < IMPORT_REASON; i++)
		if (strlen(import_column_names[i]) == len && memcmp(import_column_names[i], column, len) == 0)
			return list_names[i];
	return NULL;
}

static void add_list_problem(
    struct import_list_result *r, size_t index, const char *field, const char *reason, size_t len)
{
	struct json_object *o;

	if (json_object_array_length(r->problems) == IMPORT_LIST_PROBLEMS_MAX)
		return;
	o = json_object_new_object();
	json_object_object_add(o, "index", json_object_new_int64((int64_t)index));
	json_object_object_add(o, "field", field != NULL ? json_object_new_string(field) : NULL);
	json_object_object_add(o, "reason", json_object_new_string_len(reason, (int)len));
	json_object_array_add(r->problems, o);
}

/* The judge's "COLUMN\tREASON\n", one after the other. */
static void add_list_problems(struct import_list_result *r, size_t index, const char *text)
{
	while (*text != '\0') {
		size_t column = strcspn(text, "\t"), len;
		const char *reason = text + column + 1;

		len = strcspn(reason, "\n");
		add_list_problem(r, index, list_name(text, column), reason, len);
		text = reason + len + 1;
	}
}

/* One object of the list as a row of a file.  ERR_INVALID: r says why. */
static enum err list_row(struct stage *s, struct json_object *one, size_t index, struct import_list_result *r,
    const char *fields[IMPORT_REASON])
{
	struct params values = {0};
	enum err e = ERR_OK;

	if (!json_object_is_type(one, json_type_object)) {
		add_list_problem(r, index, NULL, "This is no object.", strlen("This is no object."));
		return ERR_INVALID;
	}
	json_object_object_foreach(one, key, val)
	{
		bool is_value = params_add_json(&values, s->arena, key, val) == ERR_OK, known = false;
		const char *reason = "There is no field of this name.";

		for (int i = 0; i < IMPORT_REASON; i++)
			known = known || strcmp(list_names[i], key) == 0;
		if (known && is_value)
			continue;
		if (strcmp(key, REQUEST_NESTED) == 0)
			reason = "Options are given once, for all jobs, beside the list.";
		else if (!is_value)
			reason = "This is no text, number or truth value.";
		add_list_problem(r, index, key, reason, strlen(reason));
		e = ERR_INVALID;
	}
	for (int i = 0; i < IMPORT_REASON; i++) {
		const char *value = params_get(&values, list_names[i]);

		fields[i] = value != NULL ? value : "";
	}
	return e;
}

static enum err take_list(struct stage *s, struct json_object *list, struct import_list_result *r)
{
	size_t count = json_object_array_length(list);
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		const char *fields[IMPORT_REASON];
		struct csv_row row = {.line = (unsigned)i + 1, .count = IMPORT_REASON, .fields = fields};
		struct import_mailbox_row good;

		if ((i + 1) % ROWS_PER_SIGN == 0 && s->v->web->alive != NULL)
			s->v->web->alive();
		arena_reset(s->arena);
		buf_clear(&s->row_problems);
		e = list_row(s, json_object_array_get_idx(list, i), i, r, fields);
		if (e == ERR_OK) {
			e = import_check_row(&s->check, s->arena, &row, &good, &s->row_problems);
			if (e == ERR_INVALID)
				add_list_problems(r, i, s->row_problems.data);
		}
		if (e == ERR_OK) {
			r->indexes[r->good++] = i;
			e = keep(s, &row, &good);
		} else if (e == ERR_INVALID) {
			r->bad++;
			e = ERR_OK;
		}
	}
	return e;
}

enum err import_stage_list(struct visit *v, struct json_object *list, const char *options, bool skip_bad,
    struct import_list_result *r, uint64_t *id_r)
{
	struct stage s;
	enum err e = begin(&s, v, options, NULL);

	*r = (struct import_list_result){.problems = json_object_new_array(),
	    .indexes = arena_array(v->arena, json_object_array_length(list) + 1, sizeof(*r->indexes))};
	s.check.is_list = true;
	s.check.map.count = IMPORT_REASON;
	for (int i = 0; i < IMPORT_COLUMN__MAX; i++)
		s.check.map.at[i] = i < IMPORT_REASON ? i : -1;
	if (e == ERR_OK)
		e = take_list(&s, list, r);
	if (e == ERR_OK && ((r->bad > 0 && !skip_bad) || r->good == 0))
		e = ERR_CONFLICT;
	return end(&s, e, id_r);
}
