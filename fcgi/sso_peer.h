/*
 * Who asks through the local socket: as the kernel has it (SO_PEERCRED), never as the asker says.
 *
 * A person's uid is one from UID_MIN of /etc/login.defs up that has a name of its own in the password
 * database, and is not among those that the kernel or systemd give to nobody in particular.  Root and who is
 * listed in sso_trusted_users may name another's account; every other uid is refused.
 */
#ifndef MCV_FCGI_SSO_PEER_H
#define MCV_FCGI_SSO_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/conf.h"
#include "lib/err.h"

enum { SSO_NAME_MAX = 64 };

struct sso_people {
	uint32_t uid_min;                /* the first of a person */
	uint32_t uid_unmapped;           /* what the kernel says instead of one it cannot show us */
	const struct conf_list *trusted; /* names or numbers */
};

struct sso_peer {
	uint32_t uid;
	char name[SSO_NAME_MAX + 1]; /* "": has none */
	bool is_person;
	bool may_name; /* root, or trusted */
};

/* The limits of this machine, from login_defs (where it is not readable: 1000) and the kernel.  trusted must
 * outlive it. */
void sso_people_read(struct sso_people *p, const char *login_defs, const struct conf_list *trusted);

/* Whether uid can be a person's at all; a name is not asked for.  Pure. */
bool sso_is_person(const struct sso_people *p, uint32_t uid);

/* Whether name can be an account's external id: 1 to SSO_NAME_MAX of letters, digits and "._@+-", not
 * beginning with '-'. */
bool sso_name_ok(const char *name);

/*
 * Who uid is, by the password database.  ERR_OK; ERR_DENIED: nobody who may ask, *why_r says why, for them to
 * read; ERR_UNAVAILABLE: the password database does not answer.
 */
enum err sso_peer_look_up(
    const struct sso_people *p, uint32_t uid, struct sso_peer *peer_r, const char **why_r) MUST_CHECK;

/* The uid of who connected to the Unix socket fd, at the time they did.  ERR_OK, ERR_IO. */
enum err sso_peer_uid(int fd, uint32_t *uid_r) MUST_CHECK;

#endif
