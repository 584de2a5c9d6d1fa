/* Servers: list, add, edit, delete. */
#include <string.h>

#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/server_form.h"
#include "fcgi/url.h"
#include "fcgi/version.h"
#include "fcgi/view.h"
#include "sql/store_audit.h"
#include "sql/store_server.h"

static void note(struct visit *v, const char *action, uint64_t id, const char *name)
{
	visit_audit(v, action, arena_printf(v->arena, "server %llu", (unsigned long long)id), name);
}

enum err page_servers_list(struct visit *v)
{
	struct json_object *model, *list;
	struct server *servers;
	size_t count, i;
	enum err e = store_server_list(v->web->db, v->arena, &v->viewer, &servers, &count);

	if (e != ERR_OK)
		return e;
	model = json_object_new_object();
	list = json_object_new_array();
	for (i = 0; i < count; i++)
		json_object_array_add(list, server_view(v, &servers[i]));
	view_add(model, "servers", list);
	view_bool(model, "has_servers", count > 0);
	view_str(model, "new_url", URL_SERVERS_NEW);
	return page_show(v, 200, "servers_list", "Servers", model);
}

enum err page_server_new(struct visit *v)
{
	struct form f;

	server_form_blank(v, &f);
	server_form_preset(&f, v->rq->arena, params_get(&v->rq->query, "preset"));
	return server_form_show(v, 200, NULL, &f, NULL);
}

enum err page_server_show(struct visit *v)
{
	struct json_object *model;
	struct server s;
	struct form f;
	enum err e = store_server_get(v->web->db, v->arena, &v->viewer, v->id, &s);

	if (e != ERR_OK)
		return e;
	if (v->rq->wants_json) {
		model = json_object_new_object();
		view_add(model, "server", server_view(v, &s));
		version_tell(v, s.version);
		return page_json(v, 200, model);
	}
	server_form_fill(v, &f, &s);
	return server_form_show(v, 200, &s, &f, NULL);
}

/* The saved server as the answer to a script. */
static enum err saved(struct visit *v, unsigned status, uint64_t id, const char *notice)
{
	struct json_object *model = NULL;
	struct server s;

	if (v->rq->wants_json) {
		enum err e = store_server_get(v->web->db, v->arena, &v->viewer, id, &s);

		if (e != ERR_OK)
			return e;
		model = json_object_new_object();
		view_add(model, "server", server_view(v, &s));
		version_tell(v, s.version);
	}
	return page_done(
	    v, status, v->rq->wants_json ? url_server(v->arena, id, NULL) : URL_SERVERS, notice, model);
}

static enum err save_refused(struct visit *v, const struct server *s, struct form *f, enum err e)
{
	if (e == ERR_CONFLICT)
		form_refuse(f, "name", "There is a server of this name already.");
	else if (e == ERR_INVALID)
		form_refuse(f, NULL, "One of the values is out of range.");
	else
		return e;
	return server_form_refused(v, s, f);
}

enum err page_server_create(struct visit *v)
{
	struct server_fields fields;
	struct form f;
	uint64_t id;
	enum err e = server_form_read(v, &f, &fields);

	if (e != ERR_OK)
		return server_form_refused(v, NULL, &f);
	e = store_server_create(v->web->db, &v->viewer, &fields, &id);
	if (e != ERR_OK)
		return save_refused(v, NULL, &f, e);
	note(v, "server_create", id, fields.host);
	return saved(v, 201, id, "server_created");
}

enum err page_server_update(struct visit *v)
{
	struct server_fields fields;
	struct server s;
	struct form f;
	enum err e = store_server_get(v->web->db, v->arena, &v->viewer, v->id, &s);

	if (e != ERR_OK)
		return e;
	if (!s.can_edit)
		return ERR_DENIED;
	if (server_form_read(v, &f, &fields) != ERR_OK)
		return server_form_refused(v, &s, &f);
	fields.if_version = version_wanted(v);
	e = store_server_update(v->web->db, &v->viewer, v->id, &fields);
	if (e == ERR_STALE) {
		e = store_server_get(v->web->db, v->arena, &v->viewer, v->id, &s);
		return e == ERR_OK ? server_form_stale(v, &s, &f) : e;
	}
	if (e != ERR_OK)
		return save_refused(v, &s, &f, e);
	note(v, "server_update", v->id, fields.host);
	return saved(v, 200, v->id, "server_changed");
}

static enum err ask(struct visit *v, unsigned status, const struct server *s, const char *error)
{
	struct page_confirm c = {.heading = arena_printf(v->arena, "Delete the server “%s”?", s->name),
	    .effect = "It can no longer be chosen. Jobs that have ended keep their record of it.",
	    .button = "Delete",
	    .action_url = url_server(v->arena, s->id, "delete"),
	    .type_word = "delete",
	    .is_dangerous = true,
	    .error = error,
	    .back_url = url_server(v->arena, s->id, NULL),
	    .back_label = "Keep it"};

	return page_confirm(v, status, &c);
}

enum err page_server_delete_ask(struct visit *v)
{
	struct server s;
	enum err e = store_server_get(v->web->db, v->arena, &v->viewer, v->id, &s);

	if (e != ERR_OK)
		return e;
	return s.can_edit ? ask(v, 200, &s, NULL) : ERR_DENIED;
}

static enum err tell_in_use(struct visit *v, uint64_t queued, uint64_t running)
{
	const char *detail = arena_printf(v->arena, "%s wait in the queue and %s with this server.",
	    view_plural_text(v->arena, queued, "job"),
	    running == 1 ? "1 runs" : arena_printf(v->arena, "%s run", view_number_text(v->arena, running)));

	page_error(v, &(struct page_error){.status = 409,
			  .code = "server_in_use",
			  .title = "The server is in use",
			  .detail = detail,
			  .action = "Cancel these jobs or let them end, then delete the server.",
			  .link_url = URL_SERVERS,
			  .link_label = "To the servers"});
	return ERR_OK;
}

enum err page_server_delete_submit(struct visit *v)
{
	uint64_t queued = 0, running = 0;
	struct server s;
	enum err e = store_server_get(v->web->db, v->arena, &v->viewer, v->id, &s);

	if (e != ERR_OK)
		return e;
	if (!s.can_edit)
		return ERR_DENIED;
	if (!page_confirmed(v, "delete"))
		return ask(v, 422, &s, "Type “delete” to confirm.");
	e = store_server_delete(v->web->db, &v->viewer, v->id, version_wanted(v), &queued, &running);
	if (e == ERR_CONFLICT)
		return tell_in_use(v, queued, running);
	if (e != ERR_OK)
		return e;
	note(v, "server_delete", v->id, s.name);
	return page_done(v, 204, URL_SERVERS, "server_deleted", NULL);
}
