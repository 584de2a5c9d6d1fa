/*
 * From a job to the command line and environment of the program that migrates it.  Pure: no I/O, no clock.
 *
 * Both imapsync (2.229 and later) and mailconvoy-sync accept what is built here.  Every option is one word,
 * "--name=value", so that a value can never become an option, whatever it begins with (Getopt::Long takes all
 * after the first "=").  No password is ever part of it: they travel as passfiles on inherited descriptors.
 *
 * Options given, and why (imapsync's manual, "OPTIONS"):
 *   --hostN --portN --userN --passfileN=/dev/fd/N, or --oauthaccesstokenN=/dev/fd/N for an access token
 *   --sslN (TLS from the first byte), --tlsN (STARTTLS), or --nosslN --notlsN (neither): always one of the
 *       three, since without them imapsync falls back to clear text by itself
 *   --sslargsN=SSL_verify_mode=1 (0 where the server's "verify" is off): imapsync verifies nothing by default
 *   --sslargsN=SSL_verifycn_scheme=imap, =SSL_verifycn_name=HOST: imapsync gives IO::Socket::SSL neither over
 *       STARTTLS, and old versions of that then check no name (tests/worker/test_tls.py tries all of this)
 *       For a host that a member names, the keeper puts the address it has vetted into --hostN (keeper.h):
 *       these two then are what the certificate is checked by
 *   --sslargsN=SSL_hostname=HOST (server name indication; left out for an address, RFC 6066 section 3)
 *   --sslargsN=SSL_ca_file=PATH, where the configuration names a CA bundle
 *   --notrylogin (one failed login a run, not two), --addheader, --errorsmax
 *   --automap and what the job's options say (option_words.h)
 *   --nolog --noreleasecheck --no-modulesversion --nodockercontext: no files, no questions to the internet,
 * one signal behaviour everywhere
 *   --tmpdir --pidfile: below the job's own directory; the defaults are shared by all runs
 *   --dry for a dry run
 *   --delete2 --maxdelete=N --deletedigest=HEX, or --delete2 --dry: to the built-in engine alone, and never
 * to a verification
 *   --verify=size|content --foldermap --newerthan instead, for our own engine proving a copy
 */
#ifndef MCV_WORKER_ARGV_H
#define MCV_WORKER_ARGV_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/err.h"
#include "lib/joboptions.h"

/* How a connection is protected. */
enum argv_security { ARGV_TLS, ARGV_STARTTLS, ARGV_NONE };

/* The first error counts from 1; a run that had this many stops.  High enough that a mailbox with a few
 * hundred refused messages still arrives, low enough that a full destination is not filled with failures for
 * hours. */
enum { ARGV_ERRORS_MAX = 100 };

struct argv_side {
	const char *host;
	unsigned port; /* 1 to 65535 */
	enum argv_security security;
	bool verify; /* whether the certificate and its name are checked; unused without TLS */
	const char *user;
	int passfile_fd; /* the number the descriptor has in the child */
};

/* Deleting on the destination what the source has not: --delete2, which the built-in engine alone can limit.
 */
struct argv_delete2 {
	bool wanted;
	const char *digest; /* --deletedigest: 64 hexadecimal digits; of a dry run unused */
	int64_t max;        /* --maxdelete; 0 or -1 where nothing is deleted: a dry run only counts */
};

struct argv_job {
	const char *program; /* absolute path: argv[0] */
	const char *job_dir; /* absolute path of the job's own directory */
	const char *ca_file; /* CA bundle, or "" for the system's */
	bool is_engine;      /* program is mailconvoy-sync: it says what the options are called */
	bool dry_run;
	struct argv_delete2 delete2;
	const struct joboptions *options; /* NULL: none */
	int64_t began_s;    /* when the copy began, seconds since 1970 UTC: from then days are counted */
	const char *verify; /* NULL: copy; "size", "content": verify what came since began_s apart, program
			       being mailconvoy-sync */
	const char *folder_map; /* with verify: where the copier's "Folder" lines are; NULL: nowhere */
	struct argv_side source;
	struct argv_side destination;
};

/*
 * The vector, NULL-terminated, in a.
 * ERR_OK; ERR_INVALID: a host or user is empty or holds a control character (it would reach a protocol line),
 * a port is out of range, or a path is not absolute; or it would delete without a limit, or by another
 * program than the built-in engine, or is a dry run with one.
 */
enum err argv_build(struct arena *a, const struct argv_job *job, char ***argv_r) MUST_CHECK;

/*
 * The whole environment of the child, NULL-terminated, in a.  Nothing is inherited: SERVER_SOFTWARE alone
 * would turn imapsync into a CGI program that copies nothing and exits 0.
 */
char **argv_environment(struct arena *a, const char *job_dir);

#endif
