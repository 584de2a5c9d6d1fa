#include "fcgi/embed.h"

#include <string.h>

#include "lib/conf.h"
#include "lib/log.h"
#include "lib/origin.h"

/* The same whether Secure or not: it is worth nothing to who plants it. */
static const char cookie[] = "mailconvoy-embed";

static const char *asked(const struct visit *v)
{
	const char *embed = params_get(&v->rq->query, "embed");

	return embed != NULL && (strcmp(embed, "1") == 0 || strcmp(embed, "0") == 0) ? embed : NULL;
}

/* Whether the browser says that it shows the answer in a window or tab, not in a frame. */
static bool is_in_window(const struct visit *v)
{
	const char *where = request_env(v->rq, "HTTP_SEC_FETCH_DEST");

	return where != NULL && strcmp(where, "document") == 0;
}

static bool is_remembered(const struct visit *v)
{
	const char *kept = params_get(&v->rq->cookies, cookie);

	return kept != NULL && strcmp(kept, "1") == 0;
}

void embed_begin(struct visit *v)
{
	const char *embed = asked(v);

	/* what a frame remembers is not for a window opened from it: that one needs our header */
	v->is_embedded = embed != NULL ? embed[0] == '1' : is_remembered(v) && !is_in_window(v);
	embed_for_account(v, NULL);
}

void embed_for_account(struct visit *v, const char *origins)
{
	const struct conf_list *all = &v->web->conf->panel_origins;
	AUTO_BUF struct buf list = BUF_INIT, own = BUF_INIT;

	for (size_t i = 0; i < all->count; i++)
		if (origin_list_add(&list, all->items[i]) != ERR_OK)
			log_fatal("panel_origins: %s", all->items[i]);
	/* checked when they were saved; whoever else wrote there shall not write headers */
	if (origin_list_add(&own, origins) != ERR_OK)
		log_warnx("an account's panel origins are not all valid");
	v->framers = own.len == 0    ? arena_strdup(v->arena, list.len > 0 ? list.data : "")
		     : list.len == 0 ? arena_strdup(v->arena, own.data)
				     : arena_printf(v->arena, "%s %s", list.data, own.data);
}

const char *embed_same_site(const struct visit *v)
{
	bool framed = v->framers[0] != '\0' && v->web->secure && !is_in_window(v);

	return framed ? "SameSite=None; Partitioned" : "SameSite=Lax";
}

bool embed_is_foreign_fetch(const struct visit *v)
{
	const char *site = request_env(v->rq, "HTTP_SEC_FETCH_SITE");
	const char *mode = request_env(v->rq, "HTTP_SEC_FETCH_MODE");

	return site != NULL && mode != NULL && strcmp(site, "same-origin") != 0 &&
	       strcmp(site, "none") != 0 && strcmp(mode, "navigate") != 0;
}

void embed_finish(struct visit *v)
{
	const char *embed = asked(v);

	v->rs->framers = v->framers;
	if (embed == NULL || v->rq->is_api || (embed[0] == '1') == is_remembered(v))
		return;
	response_header(v->rs, "Set-Cookie",
	    arena_printf(v->arena, "%s=%s; Path=/; HttpOnly; %s%s%s", cookie, embed[0] == '1' ? "1" : "",
		embed_same_site(v), v->web->secure ? "; Secure" : "", embed[0] == '1' ? "" : "; Max-Age=0"));
}
