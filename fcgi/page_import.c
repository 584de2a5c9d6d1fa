/* A CSV import begins: the form, the template, and what was sent. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fcgi/csv_write.h"
#include "fcgi/import_columns.h"
#include "fcgi/import_options.h"
#include "fcgi/import_stage.h"
#include "fcgi/options_form.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/url.h"
#include "fcgi/view.h"
#include "fcgi/web.h"
#include "lib/log.h"
#include "sql/store_import.h"

enum { SWEEP_ROWS = 500 };

/* what stands beside the file; that itself is none of the values */
static const struct form_spec specs[] = {
    {.name = REQUEST_NESTED, .kind = FORM_OPTIONS},
};

/* Lines ended by '\n' as a list of strings. */
static struct json_object *lines(struct arena *a, const char *text)
{
	struct json_object *list = json_object_new_array();
	char *copy = arena_strdup(a, text), *save = NULL;

	for (char *one = strtok_r(copy, "\n", &save); one != NULL; one = strtok_r(NULL, "\n", &save))
		json_object_array_add(list, json_object_new_string(one));
	return list;
}

/* f: its options, as they were sent or are suggested.  is_over: those of an earlier import were asked for in
 * vain. */
static enum err show_form_with(
    struct visit *v, unsigned status, const char *problems, const struct form *f, bool is_over)
{
	struct json_object *m, *list;
	struct server *servers;
	size_t count;
	enum err e = import_stage_servers(v, &servers, &count);

	if (e != ERR_OK)
		return e;
	if (v->rq->wants_json && status >= 400) {
		page_error(v, &(struct page_error){.status = status,
				  .code = "import",
				  .title = "The file cannot be imported",
				  .detail = arena_strndup(v->arena, problems, strcspn(problems, "\n"))});
		return ERR_OK;
	}
	m = json_object_new_object();
	list = json_object_new_array();
	for (size_t i = 0; i < count; i++) {
		struct json_object *o = json_object_new_object();

		view_int(o, "id", (int64_t)servers[i].id);
		view_str(o, "name", servers[i].name);
		view_str(o, "host", servers[i].host);
		json_object_array_add(list, o);
	}
	view_add(m, "servers", list);
	view_bool(m, "has_servers", count > 0);
	view_add(m, "problems", lines(v->arena, problems));
	view_bool(m, "has_problems", problems[0] != '\0');
	view_str(m, "action_url", URL_IMPORT);
	view_str(m, "template_url", URL_IMPORT "/template.csv");
	view_str(m, "servers_new_url", URL_SERVERS_NEW);
	view_str(m, "list_url", URL_JOBS);
	options_form_view(m, v->arena, f);
	view_bool(m, "is_over", is_over);
	return page_show(v, status, "import_new", "Import", m);
}

static enum err show_form(struct visit *v, unsigned status, const char *problems, const struct form *f)
{
	return show_form_with(v, status, problems, f, false);
}

enum err page_import_form(struct visit *v)
{
	const char *of = params_get(&v->rq->query, "options_of");
	struct import im = {0};
	struct form f;
	uint64_t id;
	bool more;
	/* the worker does so, too; it may be stopped for the night */
	enum err e = store_import_sweep(v->web->db, SWEEP_ROWS, &more);

	if (e != ERR_OK)
		log_warnx("expired imports: %s", err_text(e));
	/* sent again: with the options it was sent with, as long as these are kept */
	e = form_id(of, &id) ? store_import_get(v->web->db, v->arena, &v->viewer, id, &im) : ERR_NOT_FOUND;
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	import_options_blank(v, &f, FORM_ROWS(specs), im.options);
	return show_form_with(v, 200, "", &f, of != NULL && e != ERR_OK);
}

enum err page_import_template(struct visit *v)
{
	struct buf *b = &v->rs->body;
	struct server *servers;
	size_t count;
	enum err e = import_stage_servers(v, &servers, &count);

	if (e != ERR_OK)
		return e;
	for (int c = 0; c < IMPORT_REASON; c++)
		buf_addf(b, "%s%s", c > 0 ? "," : "", import_column_names[c]);
	buf_adds(b, "\r\n");
	/* a row for each server, to be filled in, or deleted: as it is, it is refused for what is missing */
	for (size_t i = 0; i < count; i++) {
		buf_addf(b, "%llu,,,%llu,,,", (unsigned long long)servers[i].id,
		    (unsigned long long)servers[i].id);
		csv_write_field(b, arena_printf(v->arena, "Server %llu is %s (%s)",
				       (unsigned long long)servers[i].id, servers[i].name, servers[i].host));
		buf_adds(b, ",1\r\n");
	}
	response_attachment(v->rs, "mailconvoy-import.csv");
	v->rs->content_type = "text/csv; charset=utf-8";
	v->rs->status = 200;
	return ERR_OK;
}

/* A small paste that came as an ordinary field takes the way of the files. */
static enum err file_of_text(const char *text, int *fd_r)
{
	size_t len = strlen(text);
	int fd = memfd_create("paste", MFD_CLOEXEC);

	if (fd < 0)
		return ERR_IO;
	if (write(fd, text, len) != (ssize_t)len) {
		(void)close(fd);
		return ERR_IO;
	}
	*fd_r = fd;
	return ERR_OK;
}

static enum err stage_and_answer(struct visit *v, int fd, const struct form *f, const char *options)
{
	AUTO_BUF struct buf problems = BUF_INIT;
	uint64_t id = 0;
	struct import im;
	enum err e = import_stage(v, fd, options, &problems, &id);

	if (e == ERR_INVALID || e == ERR_TOO_BIG)
		return show_form(v, e == ERR_TOO_BIG ? 413 : 422, problems.data, f);
	if (e != ERR_OK)
		return e;
	if (!v->rq->wants_json)
		return page_redirect(v, url_import(v->arena, id, NULL), NULL);
	e = store_import_get(v->web->db, v->arena, &v->viewer, id, &im);
	if (e == ERR_OK) {
		v->id = id;
		response_header(v->rs, "Location",
		    arena_printf(
			v->arena, "%s%s", v->rq->is_api ? "/api/v1" : "", url_import(v->arena, id, NULL)));
		e = page_import_show(v);
		v->rs->status = 201;
	}
	return e;
}

static enum err refuse_options(struct visit *v, const struct form *f)
{
	if (v->rq->wants_json) {
		page_error(
		    v, &(struct page_error){
			   .status = 422, .code = "form", .fields = form_problems(f), .detail = f->error});
		return ERR_OK;
	}
	return show_form(v, 422,
	    arena_printf(v->arena, "%s\n",
		f->error != NULL ? f->error
				 : "An option below cannot be as it is. Mend it, and choose the file or "
				   "paste its text again."),
	    f);
}

enum err page_import_upload(struct visit *v)
{
	const struct request_file *file = request_file(v->rq, REQUEST_FILE_UPLOAD),
				  *pasted = request_file(v->rq, REQUEST_FILE_PASTED);
	const char *text = params_get(&v->rq->body, REQUEST_FILE_PASTED);
	bool has_file = file != NULL && (file->size > 0 || file->is_too_big);
	bool has_text = pasted != NULL && (pasted->size > 0 || pasted->is_too_big);
	const char *options;
	struct form f;
	int fd;
	enum err e = import_options_read(v, &f, FORM_ROWS(specs), &options);

	if (e != ERR_OK)
		return refuse_options(v, &f);
	if ((has_file && file->is_too_big) || (has_text && pasted->is_too_big))
		return show_form(v, 413,
		    "The file is larger than 20 MB. Split it, and import one part after the other.\n", &f);
	if (has_file && has_text)
		return show_form(v, 422, "There are a file and a text. Send one of them.\n", &f);
	if (has_file || has_text)
		return stage_and_answer(v, has_file ? file->fd : pasted->fd, &f, options);
	if (text == NULL || text[0] == '\0')
		return show_form(v, 422, "Choose a file, or paste its text.\n", &f);
	e = file_of_text(text, &fd);
	if (e != ERR_OK)
		return e;
	e = stage_and_answer(v, fd, &f, options);
	(void)close(fd);
	return e;
}
