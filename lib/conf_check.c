#include "lib/conf_check.h"

#include <string.h>

#include "lib/mime.h"
#include "lib/netmask.h"
#include "lib/origin.h"
#include "lib/parse.h"
#include "lib/portlist.h"

/* http:// or https://, a host, and no path. */
static bool is_base_url(const char *url)
{
	size_t scheme = strncmp(url, "http://", 7) == 0 ? 7 : strncmp(url, "https://", 8) == 0 ? 8 : 0;

	return scheme > 0 && url[scheme] != '\0' &&
	       url[scheme + strcspn(url + scheme, "/?#@ \t\r\n\"'<>")] == '\0';
}

static enum err check_networks(
    const char *path, const char *name, const struct conf_list *networks, struct buf *why)
{
	struct netmask_list *list;
	size_t bad;

	if (netmask_list_new((const char *const *)networks->items, networks->count, &list, &bad) != ERR_OK) {
		buf_addf(why,
		    "%s: \"%s\" in %s is no network: write an address, or an address and a length as in "
		    "\"10.0.0.0/8\"",
		    path, networks->items[bad], name);
		return ERR_INVALID;
	}
	netmask_list_free(&list);
	return ERR_OK;
}

static enum err check_ports(const char *path, const struct conf_list *ports, struct buf *why)
{
	size_t bad;

	if (portlist_check((const char *const *)ports->items, ports->count, &bad) == ERR_OK)
		return ERR_OK;
	buf_addf(why,
	    "%s: \"%s\" in member_ports is no port from 1 to 65535, nor a range as in \"1024-65535\"", path,
	    ports->items[bad]);
	return ERR_INVALID;
}

static enum err check_origins(const char *path, const struct conf_list *origins, struct buf *why)
{
	AUTO_BUF struct buf list = BUF_INIT;

	for (size_t i = 0; i < origins->count; i++) {
		if (strpbrk(origins->items[i], " ,;") == NULL &&
		    origin_list_add(&list, origins->items[i]) == ERR_OK)
			continue;
		buf_addf(why,
		    "%s: \"%s\" in panel_origins must be https:// with a host name and, if need be, a port, "
		    "and "
		    "all of them together at most %d bytes",
		    path, origins->items[i], ORIGIN_LIST_MAX_BYTES);
		return ERR_INVALID;
	}
	return ERR_OK;
}

static bool is_one_of(const char *word, const char *const *words)
{
	while (*words != NULL && strcmp(word, *words) != 0)
		words++;
	return *words != NULL;
}

static enum err check_mail(const char *path, const struct conf *conf, struct buf *why)
{
	static const char *const securities[] = {"starttls", "tls", "none", NULL};
	static const char *const batches[] = {"summary", "each", "off", NULL};

	if (!is_one_of(conf->smtp_security, securities))
		buf_addf(why, "%s: smtp_security = \"%s\" must be \"starttls\", \"tls\" or \"none\"", path,
		    conf->smtp_security);
	else if (!is_one_of(conf->notify_batch, batches))
		buf_addf(why, "%s: notify_batch = \"%s\" must be \"summary\", \"each\" or \"off\"", path,
		    conf->notify_batch);
	else if (conf->smtp_host[0] == '\0')
		return ERR_OK;
	else if (!parse_is_hostname(conf->smtp_host) && !parse_is_address(conf->smtp_host))
		buf_addf(why, "%s: smtp_host = \"%s\" is no host name or address", path, conf->smtp_host);
	else if (!mime_address_fits(conf->mail_from))
		buf_addf(
		    why, "%s: smtp_host is set, so mail_from must be the address that mails come from", path);
	else if (conf->smtp_user[0] != '\0' && strcmp(conf->smtp_security, "none") == 0)
		buf_addf(why,
		    "%s: smtp_user with smtp_security = \"none\" would show the password to all on the way: "
		    "set "
		    "\"starttls\" or \"tls\"",
		    path);
	else if ((conf->smtp_user[0] != '\0') != (conf->smtp_password_file[0] != '\0'))
		buf_addf(why, "%s: smtp_user and smtp_password_file go together", path);
	else
		return ERR_OK;
	return ERR_INVALID;
}

enum err conf_check(const char *path, const struct conf *conf, struct buf *why)
{
	if (!is_base_url(conf->base_url)) {
		buf_addf(why,
		    "%s: base_url = \"%s\" must be http:// or https:// and a host, without a path or a slash "
		    "at "
		    "the end",
		    path, conf->base_url);
		return ERR_INVALID;
	}
	if (strcmp(conf->verify, "off") != 0 && strcmp(conf->verify, "size") != 0 &&
	    strcmp(conf->verify, "content") != 0) {
		buf_addf(why, "%s: verify = \"%s\" must be off, size or content", path, conf->verify);
		return ERR_INVALID;
	}
	if (check_networks(path, "deny_networks", &conf->deny_networks, why) != ERR_OK ||
	    check_networks(path, "trusted_proxies", &conf->trusted_proxies, why) != ERR_OK ||
	    check_ports(path, &conf->member_ports, why) != ERR_OK ||
	    check_origins(path, &conf->panel_origins, why) != ERR_OK)
		return ERR_INVALID;
	if (conf->fence_s + conf->kill_grace_s >= conf->lease_s) {
		buf_addf(why,
		    "%s: fence_s + kill_grace_s (%ld + %ld) must be less than lease_s (%ld), or a run could "
		    "outlive its lease",
		    path, conf->fence_s, conf->kill_grace_s, conf->lease_s);
		return ERR_INVALID;
	}
	if (check_mail(path, conf, why) != ERR_OK)
		return ERR_INVALID;
	if (conf->renew_s * 2 > conf->fence_s) {
		buf_addf(why, "%s: renew_s (%ld) must be at most half of fence_s (%ld)", path, conf->renew_s,
		    conf->fence_s);
		return ERR_INVALID;
	}
	return ERR_OK;
}
