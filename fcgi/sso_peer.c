#include "fcgi/sso_peer.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/log.h"
#include "lib/parse.h"

enum {
	UID_MIN_USUAL = 1000,
	UID_UNMAPPED_USUAL = 65534,
	/* systemd gives these to services, and to the next one when they end (systemd.exec(5), DynamicUser)
	 */
	UID_DYNAMIC_MIN = 61184,
	UID_DYNAMIC_MAX = 65519,
	/* (uint16_t)-2 and -1: nobody's, on whatever machine */
	UID_NOBODY_MIN = 65534,
	UID_NOBODY_MAX = 65535
};

/* "KEY value" in a line of login.defs; blanks and tabs between. */
static bool take_number(const char *line, const char *key, uint32_t *number_r)
{
	size_t len = strlen(key);
	uint64_t n;
	char word[16] = "";

	if (strncmp(line, key, len) != 0 || (line[len] != ' ' && line[len] != '\t'))
		return false;
	line += len + strspn(line + len, " \t");
	(void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(line, " \t\r\n#"), line);
	if (parse_u64(word, 0, UINT32_MAX, &n) != ERR_OK)
		return false;
	*number_r = (uint32_t)n;
	return true;
}

void sso_people_read(struct sso_people *p, const char *login_defs, const struct conf_list *trusted)
{
	uint32_t sys_max = 0;
	char line[256];
	FILE *f;

	*p = (struct sso_people){
	    .uid_min = UID_MIN_USUAL, .uid_unmapped = UID_UNMAPPED_USUAL, .trusted = trusted};
	f = fopen(login_defs, "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (!take_number(line, "UID_MIN", &p->uid_min))
			(void)take_number(line, "SYS_UID_MAX", &sys_max);
	if (f != NULL)
		(void)fclose(f);
	if (sys_max >= p->uid_min && sys_max < UINT32_MAX)
		p->uid_min = sys_max + 1;
	if (p->uid_min == 0)
		p->uid_min = 1; /* root is nobody's customer */
	f = fopen("/proc/sys/kernel/overflowuid", "re");
	if (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		uint64_t n;

		line[strcspn(line, "\n")] = '\0';
		if (parse_u64(line, 1, UINT32_MAX, &n) == ERR_OK)
			p->uid_unmapped = (uint32_t)n;
	}
	if (f != NULL)
		(void)fclose(f);
}

bool sso_is_person(const struct sso_people *p, uint32_t uid)
{
	return uid >= p->uid_min && uid != p->uid_unmapped && uid < UINT32_MAX - 1 &&
	       (uid < UID_DYNAMIC_MIN || uid > UID_DYNAMIC_MAX) &&
	       (uid < UID_NOBODY_MIN || uid > UID_NOBODY_MAX);
}

bool sso_name_ok(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@+-");

	return n >= 1 && n <= SSO_NAME_MAX && name[n] == '\0' && name[0] != '-';
}

static bool is_listed(const struct conf_list *trusted, const struct sso_peer *peer)
{
	uint64_t number;

	for (size_t i = 0; i < trusted->count; i++) {
		const char *one = trusted->items[i];

		if (parse_u64(one, 0, UINT32_MAX, &number) == ERR_OK
			? number == peer->uid
			: peer->name[0] != '\0' && strcmp(one, peer->name) == 0)
			return true;
	}
	return false;
}

/*
 * The name of uid, if it leads back to it: where two entries share a name, who asks is not known by it.
 * ERR_NOT_FOUND: none.
 */
static enum err read_name(uint32_t uid, char name[SSO_NAME_MAX + 1])
{
	const struct passwd *pw;

	name[0] = '\0';
	errno = 0;
	pw = getpwuid(uid);
	if (pw == NULL && (errno == EIO || errno == EINTR || errno == EMFILE || errno == ENFILE ||
			      errno == ENOMEM || errno == EAGAIN))
		return ERR_UNAVAILABLE;
	if (pw == NULL || !sso_name_ok(pw->pw_name))
		return ERR_NOT_FOUND;
	(void)snprintf(name, SSO_NAME_MAX + 1, "%s", pw->pw_name);
	pw = getpwnam(name);
	if (pw != NULL && pw->pw_uid == uid)
		return ERR_OK;
	name[0] = '\0';
	return ERR_NOT_FOUND;
}

enum err sso_peer_look_up(
    const struct sso_people *p, uint32_t uid, struct sso_peer *peer_r, const char **why_r)
{
	enum err e;

	*peer_r = (struct sso_peer){.uid = uid};
	*why_r = NULL;
	if (uid == p->uid_unmapped || uid == UID_NOBODY_MIN || uid == UID_NOBODY_MAX ||
	    uid >= UINT32_MAX - 1) {
		*why_r = "It cannot be told who you are: your user id is nobody's.";
		return ERR_DENIED;
	}
	e = read_name(uid, peer_r->name);
	if (e == ERR_UNAVAILABLE)
		return e;
	peer_r->is_person = e == ERR_OK && sso_is_person(p, uid);
	peer_r->may_name = uid == 0 || is_listed(p->trusted, peer_r);
	if (peer_r->is_person || peer_r->may_name)
		return ERR_OK;
	*why_r = e == ERR_OK
		     ? "Your user id is a service's: only people are signed in here. The administrator "
		       "can list it in sso_trusted_users."
		     : "Your user id has no name of its own on this machine.";
	return ERR_DENIED;
}

enum err sso_peer_uid(int fd, uint32_t *uid_r)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0 || len != sizeof(who)) {
		log_warn("SO_PEERCRED");
		return ERR_IO;
	}
	*uid_r = who.uid;
	return ERR_OK;
}
