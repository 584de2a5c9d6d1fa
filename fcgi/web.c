#include "fcgi/web.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/conf.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/netmask.h"
#include "lib/secretfile.h"
#include "lib/template.h"
#include "lib/vault.h"
#include "sql/connect.h"

enum { DATABASE_PASSWORD_MAX_BYTES = 1024 };

static struct netmask_list *networks(const char *key, const struct conf_list *l)
{
	struct netmask_list *list = NULL;
	size_t bad;

	if (netmask_list_new((const char *const *)l->items, l->count, &list, &bad) != ERR_OK)
		log_fatal("%s: “%s” is no network; write it as 10.0.0.0/8 or fc00::/7", key, l->items[bad]);
	return list;
}

struct web *web_open(const char *file)
{
	struct web *web = mem_alloc(sizeof(*web));
	AUTO_BUF struct buf why = BUF_INIT;
	struct vault_public_key *key = NULL;
	struct conf *conf = NULL;

	if (conf_load(file ? file : conf_default_path, &conf, &why) != ERR_OK)
		log_fatal("%s", why.data);
	log_init("mailconvoy-web", conf->debug);
	if (vault_public_load(conf->public_key_file, &key, &why) != ERR_OK)
		log_fatal("%s", why.data);
	web->conf = conf;
	web->key = key;
	web->secure = strncasecmp(conf->base_url, "https://", 8) == 0;
	web->deny = networks("deny_networks", &conf->deny_networks);
	web->proxies = networks("trusted_proxies", &conf->trusted_proxies);
	web->templates = templates_new(conf->template_path);
	return web;
}

void web_close(struct web **web)
{
	struct conf *conf;
	struct vault_public_key *key;
	struct netmask_list *deny, *proxies;

	if (*web == NULL)
		return;
	conf = (struct conf *)(*web)->conf;
	key = (struct vault_public_key *)(*web)->key;
	deny = (struct netmask_list *)(*web)->deny;
	proxies = (struct netmask_list *)(*web)->proxies;
	netmask_list_free(&deny);
	netmask_list_free(&proxies);
	db_close(&(*web)->db);
	templates_free(&(*web)->templates);
	vault_public_free(&key);
	conf_free(&conf);
	free(*web);
	*web = NULL;
}

static enum err open_db(struct web *web)
{
	const struct conf *c = web->conf;
	AUTO_BUF struct buf why = BUF_INIT;
	struct buf password = BUF_INIT;
	struct db_options o = {.socket = c->database_socket,
	    .host = c->database_host,
	    .port = (unsigned)c->database_port,
	    .user = c->database_user,
	    .database = c->database_name,
	    .ca_file = c->database_ca_file};
	enum err e = ERR_OK;

	if (c->database_password_file[0] != '\0')
		e = secretfile_read_line(
		    c->database_password_file, DATABASE_PASSWORD_MAX_BYTES, &password, &why);
	if (e != ERR_OK) {
		log_warnx("%s", why.data);
	} else {
		o.password = password.data;
		e = db_open(&o, &web->db);
		if (e != ERR_OK)
			log_warnx("database: %s", db_error(web->db));
	}
	buf_wipe(&password);
	return e;
}

enum err web_db(struct web *web)
{
	enum err e;

	if (web->db == NULL) {
		e = open_db(web);
	} else {
		if (db_is_connected(web->db) && connect_ping(web->db) == ERR_OK)
			return ERR_OK;
		e = db_reconnect(web->db);
		if (e != ERR_OK)
			log_warnx("database: %s", db_error(web->db));
	}
	/* refused is no better than gone for who asks, and mended by the administrator in the same way */
	return e == ERR_OK || e == ERR_BUSY ? e : ERR_UNAVAILABLE;
}
