/*
 * The engine's command line: the part of imapsync's that a migration needs.  Data only; nothing here runs
 * code. Both --name=value and --name value are read, and --no as well as --no- before a switch.
 *
 * Where we differ from imapsync, on purpose:
 * - passwords come from --passfileN alone (first line; the newline is dropped); --passwordN and the
 * environment are refused, because other users of the machine can read them; likewise access tokens come
 * from the files of --oauthaccesstokenN alone;
 * - --authmechN is what is done or nothing is: no other mechanism is tried when it is refused or not offered,
 *   and LOGIN is none with --authuserN (options_rules.c);
 * - certificates and host names are verified unless --sslargsN SSL_verify_mode=0 says otherwise;
 * - where --hostN is an address and --sslargsN names a host, the name is the host: the connection goes to
 * that address without a look-up, and the certificate must be the name's;
 * - without --sslN/--tlsN the connection is TLS on port 993 and STARTTLS elsewhere, never clear text: that
 * takes
 *   --nosslN and --notlsN together;
 * - --addheader is accepted and does nothing: a message is never altered, and needs no header to be
 * recognised;
 * - --include and --exclude are POSIX extended regular expressions;
 * - --maxage, --minage and --search choose on host1 alone: what host2 has is always known whole, so that
 *   nothing is copied twice;
 * - --delete2 needs --maxdelete or --dry, and what is deleted otherwise is refused (engine/surplus.h).
 */
#ifndef MCV_ENGINE_OPTIONS_H
#define MCV_ENGINE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "imap/session.h"
#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/err.h"

struct word_list {
	const char **words;
	unsigned count;
};

struct side_options {
	const char *host;
	const char *user;
	const char *passfile;   /* NULL where token_file is given */
	const char *token_file; /* --oauthaccesstokenN: the file with an OAuth 2 access token; NULL = none */
	const char *auth_user;  /* --authuserN: who logs in, where that is not user; NULL = user */
	enum imap_mechanism mechanism; /* --authmechN */
	const char *ca_file;           /* NULL = the system's store */
	const char *tls_name; /* SSL_hostname and SSL_verifycn_name: repeats the host, or names an address */
	const char *address;  /* to connect to, without a look-up; NULL = what host resolves to */
	unsigned port;
	const char *below;  /* --subfolderN, as given: this side's folders are those below it; NULL = all */
	const char *prefix; /* --prefixN, instead of the one the server tells; NULL = that */
	const char *separator; /* --sepN, one character, likewise */
	unsigned timeout_s;    /* silence after which a connection is given up; --timeoutN, default 120 */
	enum imap_security security;
	bool verify;
};

/* --compress: whether COMPRESS=DEFLATE is used where it is offered. */
enum compress_mode {
	COMPRESS_AUTO, /* with servers so far away that the line is likelier to be the limit than our CPU */
	COMPRESS_ON,
	COMPRESS_OFF,
};

/* --verify: what is compared. */
enum verify_mode {
	VERIFY_OFF,
	VERIFY_SIZE,    /* identity, size and date; contents where these leave a doubt */
	VERIFY_CONTENT, /* the SHA-256 of every message, too */
};

struct options {
	struct side_options side[2]; /* 0: source ("host1"), 1: destination ("host2") */
	/* Folder names are as given: raw (modified UTF-7) or UTF-8; engine/names.h compares them. */
	struct word_list folders;  /* --folder: only these */
	struct word_list trees;    /* --folderrec: these and what is below them, too */
	struct word_list includes; /* --include */
	struct word_list excludes; /* --exclude */
	struct word_list renames;  /* --f1f2 source=destination */
	const char *tmpdir;        /* accepted; the engine writes no temporary file */
	const char *pidfile;       /* NULL = none */
	const char *state;         /* --state: what a run leaves for the next (state.h); NULL = nothing */
	uint64_t maxsize;          /* bytes; 0 = no limit */
	uint64_t minsize;          /* bytes; 0 = no limit */
	unsigned max_age_days;     /* by the Date field; 0 = any */
	unsigned min_age_days;     /* likewise */
	const char *search;        /* IMAP SEARCH keys, checked (imap/search.h); NULL = all */
	struct word_list identity_fields; /* --useheader; none: Message-Id and Received */
	uint64_t bytes_per_s;             /* --maxbytespersecond; 0 = no limit */
	uint64_t messages_per_s;          /* --maxmessagespersecond; 0 = no limit */
	uint64_t exitwhenover;            /* bytes; 0 = no limit */
	unsigned errors_max;              /* --errorsmax, default 50 */
	unsigned connections;             /* --connections: to each side, at most; default 2 */
	enum compress_mode compress;
	enum verify_mode verify; /* copy nothing, compare instead */
	uint64_t newer_than_s;   /* --newerthan: seconds since 1970 UTC; 0 = nothing is newer */
	const char *folder_map;  /* --foldermap: a file, see verify_map.h; NULL = none */
	bool json;               /* --verify's report as JSON lines, all else to standard error */
	unsigned max_delete;     /* --maxdelete: more is never deleted; 0 = not given, with --dry alone */
	const char
	    *delete_digest; /* --deletedigest: only what has this digest is deleted (engine/surplus.h) */
	bool delete2;       /* delete on host2 what host1 has not; needs max_delete, or dry */
	bool dry;
	bool automap;
	bool subscribe;     /* subscribe on host2 what is subscribed on host1; default on */
	bool subscribe_all; /* subscribe every folder synced */
	bool folder_sizes;
	bool folder_sizes_at_end;
	bool resync_flags;
	bool sync_flags; /* messages arrive with their flags; off: without, and flags are left alone */
	bool just_login;
	bool just_folders;
	bool just_folder_sizes;
	bool version;
	bool help;
};

/*
 * Reads argv[1..argc-1] into *o, whose strings live in a or in argv.  On ERR_INVALID what is wrong is in
 * reason, one or more lines ending in a newline, imapsync's wording where it has one; the program exits 64.
 */
enum err options_parse(
    struct options *o, int argc, char **argv, struct arena *a, struct buf *reason) MUST_CHECK;

#endif
