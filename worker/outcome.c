#include "worker/outcome.h"

#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>

/* Every way a run can end.  Order is of no meaning. */
enum end {
	END_UNSET, /* a row of a table that nobody filled in: a bug, and said so */
	END_OK,
	END_OK_DRY,
	END_OK_NOTHING,
	END_OK_MISSING,
	END_OK_UNIDENTIFIED,
	END_OK_RECONNECTED,
	END_NO_STATISTICS,
	END_CANCELLED,
	END_STOPPED,
	END_WALL,
	END_SILENCE,
	END_MEMORY,
	END_FENCED,
	END_LOST,
	END_LOG_FULL,
	END_NO_PROGRAM,
	END_EXEC,
	END_SEAL,
	END_INVALID,
	END_SYSTEM,
	END_ORPHAN,
	END_SIGNAL,
	END_KILLED,
	END_CRASHED,
	END_AUTH_BOTH,
	END_AUTH_SOURCE,
	END_AUTH_DESTINATION,
	END_BUSY_SOURCE,
	END_BUSY_DESTINATION,
	END_DENIED_SOURCE,
	END_DENIED_DESTINATION,
	END_NAME_SOURCE,
	END_NAME_DESTINATION,
	END_REFUSED_SOURCE,
	END_REFUSED_DESTINATION,
	END_TIMEOUT_SOURCE,
	END_TIMEOUT_DESTINATION,
	END_UNREACHABLE_SOURCE,
	END_UNREACHABLE_DESTINATION,
	END_NOT_TLS_SOURCE,
	END_NOT_TLS_DESTINATION,
	END_UNTRUSTED_SOURCE,
	END_UNTRUSTED_DESTINATION,
	END_NAME_MISMATCH_SOURCE,
	END_NAME_MISMATCH_DESTINATION,
	END_EXPIRED_SOURCE,
	END_EXPIRED_DESTINATION,
	END_NO_STARTTLS_SOURCE,
	END_NO_STARTTLS_DESTINATION,
	END_TLS_SOURCE,
	END_TLS_DESTINATION,
	END_CONNECT_SOURCE,
	END_CONNECT_DESTINATION,
	END_CATCH_ALL,
	END_BY_FILE,
	END_PID_FILE,
	END_CONNECTION,
	END_TLS,
	END_AUTH,
	END_SUBFOLDER,
	END_USAGE,
	END_PASSFILE,
	END_UNAVAILABLE,
	END_SOFTWARE,
	END_ERRORS,
	END_ERRORS_MAX,
	END_QUOTA,
	END_QUOTA_WARNING,
	END_APPEND,
	END_FETCH,
	END_CREATE,
	END_SELECT,
	END_EXCEEDED,
	END_VIRUS,
	END_FLAGS,
	END_SEARCH,
	END_TESTS,
	END_UNKNOWN_CODE,
	END__MAX
};

struct row {
	enum run_state state;
	const char *reason;
	const char *text;
	const char *action;
};

#define BOTH_SIDES(name, code, source_text, destination_text, source_action, destination_action) \
	[END_##name##_SOURCE] = {RUN_FAILED, code "_source", source_text, source_action}, \
	[END_##name##_DESTINATION] = {RUN_FAILED, code "_destination", destination_text, destination_action}

#define SERVER_SIDES(name, code, source_text, destination_text) \
	BOTH_SIDES(name, code, source_text, destination_text, "edit_server_source", "edit_server_destination")

static const struct row rows[END__MAX] = {
    [END_UNSET] = {RUN_FAILED, "internal", "The run ended in a way mailconvoy does not know.",
	"contact_admin"},
    [END_OK] = {RUN_DONE, "ok", "Every message of the source is on the destination.", "none"},
    [END_OK_DRY] = {RUN_DONE, "ok_dry", "The dry run is complete. Nothing was changed.", "run_real"},
    [END_OK_NOTHING] = {RUN_DONE, "ok_nothing", "There was nothing left to copy.", "none"},
    [END_OK_MISSING] = {RUN_DONE, "ok_missing",
	"The run ended well, but some messages of the source are not on the destination yet.", "rerun"},
    [END_OK_UNIDENTIFIED] = {RUN_DONE, "ok_unidentified",
	"The run ended well, but left behind messages that carry nothing to recognise them by.", "view_log"},
    [END_OK_RECONNECTED] = {RUN_DONE, "ok_reconnected",
	"Every message was copied, but the connection to the source broke on the way: compare the messages "
	"copied "
	"around that time.",
	"view_log"},
    [END_NO_STATISTICS] = {RUN_FAILED, "no_statistics",
	"The program ended without an error, and without having synchronised anything.", "view_log"},
    [END_CANCELLED] = {RUN_CANCELLED, "cancelled",
	"The job was cancelled. What had been copied stays on the destination.", "rerun"},
    [END_STOPPED] = {RUN_INTERRUPTED, "worker_stopped",
	"The worker was stopped during the run. Running the job again continues where it left off.", "rerun"},
    [END_WALL] = {RUN_FAILED, "wall_limit",
	"The run took longer than it may. Running the job again continues where it left off.", "rerun"},
    [END_SILENCE] = {RUN_FAILED, "silence_limit",
	"The run showed no sign of life for too long, most likely because a mail server stopped answering.",
	"rerun"},
    [END_MEMORY] = {RUN_FAILED, "memory_limit",
	"The run needed more memory than it may use, most likely for one very large message.",
	"contact_admin"},
    [END_FENCED] = {RUN_INTERRUPTED, "fenced",
	"The worker lost touch with the database and ended the run. Running it again continues where it left "
	"off.",
	"rerun"},
    [END_LOST] = {RUN_INTERRUPTED, "lost", "Another worker has taken the job over.", "rerun"},
    [END_LOG_FULL] = {RUN_FAILED, "log_storage_full",
	"The log could not be stored: the database's disk is full.", "contact_admin"},
    [END_NO_PROGRAM] = {RUN_FAILED, "no_program", "No program that migrates mailboxes is installed.",
	"contact_admin"},
    [END_EXEC] = {RUN_FAILED, "exec_failed", "The program that migrates mailboxes could not be started.",
	"contact_admin"},
    [END_SEAL] = {RUN_FAILED, "seal_broken",
	"A stored password could not be opened with this installation's key. Enter the passwords again.",
	"edit_source"},
    [END_INVALID] = {RUN_FAILED, "invalid_job", "The job's connection details are not usable.",
	"edit_source"},
    [END_SYSTEM] = {RUN_FAILED, "system", "The worker's machine could not start the run.", "contact_admin"},
    [END_ORPHAN] = {RUN_INTERRUPTED, "worker_died",
	"The worker died during the run. Running the job again continues where it left off.", "rerun"},
    [END_SIGNAL] = {RUN_FAILED, "signal", "The program was ended from outside before it had finished.",
	"rerun"},
    [END_KILLED] = {RUN_FAILED, "killed",
	"The program was killed by the system, most likely because memory ran out.", "contact_admin"},
    [END_CRASHED] = {RUN_FAILED, "crashed", "The program crashed.", "contact_admin"},
    [END_AUTH_BOTH] = {RUN_FAILED, "auth_both", "Both servers refused the user name or password.",
	"edit_source"},
    BOTH_SIDES(AUTH, "auth", "The source server refused the password.",
	"The destination server refused the password.", "edit_source", "edit_destination"),
    BOTH_SIDES(BUSY, "busy", "The source server does not take this login at the moment.",
	"The destination server does not take this login at the moment.", "rerun", "rerun"),
    SERVER_SIDES(DENIED, "denied", "The source server is in a network that may not be reached from here.",
	"The destination server is in a network that may not be reached from here."),
    SERVER_SIDES(NAME, "name_unknown", "The source server's name was not found.",
	"The destination server's name was not found."),
    SERVER_SIDES(REFUSED, "refused",
	"The source server refused the connection: nothing listens on this port.",
	"The destination server refused the connection: nothing listens on this port."),
    SERVER_SIDES(TIMEOUT, "timeout", "The source server did not answer in time.",
	"The destination server did not answer in time."),
    SERVER_SIDES(UNREACHABLE, "unreachable", "The source server cannot be reached.",
	"The destination server cannot be reached."),
    SERVER_SIDES(NOT_TLS, "not_tls", "The source server does not speak TLS on this port.",
	"The destination server does not speak TLS on this port."),
    SERVER_SIDES(UNTRUSTED, "untrusted", "The source server's certificate is not trusted.",
	"The destination server's certificate is not trusted."),
    SERVER_SIDES(NAME_MISMATCH, "wrong_name", "The source server's certificate is for another host name.",
	"The destination server's certificate is for another host name."),
    SERVER_SIDES(EXPIRED, "expired", "The source server's certificate has expired.",
	"The destination server's certificate has expired."),
    SERVER_SIDES(NO_STARTTLS, "no_starttls", "The source server does not offer STARTTLS.",
	"The destination server does not offer STARTTLS."),
    SERVER_SIDES(TLS, "tls", "No secure connection to the source server could be made.",
	"No secure connection to the destination server could be made."),
    SERVER_SIDES(CONNECT, "connect", "No connection to the source server could be made.",
	"No connection to the destination server could be made."),
    [END_CATCH_ALL] = {RUN_FAILED, "other_error",
	"The program stopped at an error, or lost a connection at the very end.", "rerun"},
    [END_BY_FILE] = {RUN_FAILED, "by_file", "The run was ended by an abort file.", "rerun"},
    [END_PID_FILE] = {RUN_FAILED, "pid_file", "The program could not write its pid file.", "contact_admin"},
    [END_CONNECTION] = {RUN_FAILED, "connection", "A connection to one of the servers failed.", "rerun"},
    [END_TLS] = {RUN_FAILED, "tls", "No secure connection to one of the servers could be made.", "view_log"},
    [END_AUTH] = {RUN_FAILED, "auth", "One of the servers refused the user name or password.", "edit_source"},
    [END_SUBFOLDER] = {RUN_FAILED, "subfolder", "The folder to begin at does not exist on the source.",
	"view_log"},
    [END_USAGE] = {RUN_FAILED, "usage", "The program did not understand the options it was given.",
	"contact_admin"},
    [END_PASSFILE] = {RUN_FAILED, "passfile", "The program could not read a password.", "contact_admin"},
    [END_UNAVAILABLE] = {RUN_FAILED, "unavailable", "Something the program needs is not available.",
	"contact_admin"},
    [END_SOFTWARE] = {RUN_FAILED, "software", "The program reported an error of its own.", "contact_admin"},
    [END_ERRORS] = {RUN_FAILED, "with_errors", "The run reached its end, with errors.", "view_log"},
    [END_ERRORS_MAX] = {RUN_FAILED, "errors_max", "The run was ended because there were too many errors.",
	"view_log"},
    [END_QUOTA] = {RUN_FAILED, "quota", "The destination mailbox is full.", "free_space"},
    [END_QUOTA_WARNING] = {RUN_DONE, "quota_warning",
	"Every message was copied, but the destination mailbox is nearly full.", "free_space"},
    [END_APPEND] = {RUN_FAILED, "append", "The destination server refused some messages.", "view_log"},
    [END_FETCH] = {RUN_FAILED, "fetch", "The source server did not hand out some messages.", "rerun"},
    [END_CREATE] = {RUN_FAILED, "create", "The destination server did not create some folders.", "view_log"},
    [END_SELECT] = {RUN_FAILED, "select", "Some folders could not be opened.", "view_log"},
    [END_EXCEEDED] = {RUN_FAILED, "exceeded", "The amount of data allowed for one run is reached.", "rerun"},
    [END_VIRUS] = {RUN_FAILED, "virus", "The destination server refused messages because they hold a virus.",
	"view_log"},
    [END_FLAGS] = {RUN_FAILED, "flags", "The flags of some messages could not be set.", "rerun"},
    [END_SEARCH] = {RUN_FAILED, "search", "A server could not list the messages of a folder.", "rerun"},
    [END_TESTS] = {RUN_FAILED, "tests", "The program ran its own tests instead of a migration.",
	"contact_admin"},
    [END_UNKNOWN_CODE] = {RUN_FAILED, "exit_code", "The program ended with an exit code of unknown meaning.",
	"view_log"},
};

static const enum end wish_ends[WISH__MAX] = {
    [WISH_CANCEL] = END_CANCELLED,
    [WISH_STOP] = END_STOPPED,
    [WISH_WALL] = END_WALL,
    [WISH_SILENCE] = END_SILENCE,
    [WISH_MEMORY] = END_MEMORY,
    [WISH_FENCE] = END_FENCED,
    [WISH_LOST] = END_LOST,
    [WISH_LOG] = END_LOG_FULL,
};

static const enum end start_ends[START__MAX] = {
    [START_NO_PROGRAM] = END_NO_PROGRAM,
    [START_EXEC] = END_EXEC,
    [START_SEAL] = END_SEAL,
    [START_DENIED_SOURCE] = END_DENIED_SOURCE,
    [START_DENIED_DESTINATION] = END_DENIED_DESTINATION,
    [START_NAME_SOURCE] = END_NAME_SOURCE,
    [START_NAME_DESTINATION] = END_NAME_DESTINATION,
    [START_INVALID] = END_INVALID,
    [START_SYSTEM] = END_SYSTEM,
    [START_INCOMPLETE] = END_ORPHAN,
};

static const enum end trouble_ends[TROUBLE__MAX][2] = {
    [TROUBLE_LOGIN_REFUSED] = {END_AUTH_SOURCE, END_AUTH_DESTINATION},
    [TROUBLE_LOGIN_BUSY] = {END_BUSY_SOURCE, END_BUSY_DESTINATION},
    [TROUBLE_NAME_UNKNOWN] = {END_NAME_SOURCE, END_NAME_DESTINATION},
    [TROUBLE_REFUSED] = {END_REFUSED_SOURCE, END_REFUSED_DESTINATION},
    [TROUBLE_TIMED_OUT] = {END_TIMEOUT_SOURCE, END_TIMEOUT_DESTINATION},
    [TROUBLE_UNREACHABLE] = {END_UNREACHABLE_SOURCE, END_UNREACHABLE_DESTINATION},
    [TROUBLE_NOT_TLS] = {END_NOT_TLS_SOURCE, END_NOT_TLS_DESTINATION},
    [TROUBLE_UNTRUSTED] = {END_UNTRUSTED_SOURCE, END_UNTRUSTED_DESTINATION},
    [TROUBLE_WRONG_NAME] = {END_NAME_MISMATCH_SOURCE, END_NAME_MISMATCH_DESTINATION},
    [TROUBLE_EXPIRED] = {END_EXPIRED_SOURCE, END_EXPIRED_DESTINATION},
    [TROUBLE_NO_STARTTLS] = {END_NO_STARTTLS_SOURCE, END_NO_STARTTLS_DESTINATION},
    [TROUBLE_TLS] = {END_TLS_SOURCE, END_TLS_DESTINATION},
    [TROUBLE_CONNECT] = {END_CONNECT_SOURCE, END_CONNECT_DESTINATION},
};

/* Exit codes from 1 to 254; 0 has a function of its own. */
static const enum end code_ends[256] = {
    [1] = END_CATCH_ALL,
    [6] = END_SIGNAL,
    [7] = END_BY_FILE,
    [8] = END_PID_FILE,
    [10] = END_CONNECTION,
    [12] = END_TLS,
    [16] = END_AUTH,
    [21] = END_SUBFOLDER,
    [64] = END_USAGE,
    [66] = END_PASSFILE,
    [69] = END_UNAVAILABLE,
    [70] = END_SOFTWARE,
    [101] = END_CONNECT_SOURCE,
    [102] = END_CONNECT_DESTINATION,
    [111] = END_ERRORS,
    [112] = END_ERRORS_MAX,
    [113] = END_QUOTA,
    [114] = END_APPEND,
    [115] = END_FETCH,
    [116] = END_CREATE,
    [117] = END_SELECT,
    [118] = END_EXCEEDED,
    [119] = END_VIRUS,
    [120] = END_FLAGS,
    [121] = END_SEARCH,
    [161] = END_AUTH_SOURCE,
    [162] = END_AUTH_DESTINATION,
    [254] = END_TESTS,
};

static enum end judge_success(const struct outcome_input *in)
{
	const struct progress *p = in->progress;

	if (!p->statistics)
		return END_NO_STATISTICS;
	if (in->dry_run)
		return END_OK_DRY;
	if (p->missing > 0)
		return END_OK_MISSING;
	if (p->unidentified > 0)
		return END_OK_UNIDENTIFIED;
	if (p->reconnections[SIDE_SOURCE] > 0)
		return END_OK_RECONNECTED;
	return p->messages_copied == 0 ? END_OK_NOTHING : END_OK;
}

/* A side that could not be used explains the connection and login codes better than the code does. */
static enum end judge_trouble(const struct progress *p)
{
	enum trouble source = p->trouble[SIDE_SOURCE];
	enum trouble destination = p->trouble[SIDE_DESTINATION];

	if (source == TROUBLE_LOGIN_REFUSED && destination == TROUBLE_LOGIN_REFUSED)
		return END_AUTH_BOTH;
	if (source != TROUBLE_NONE)
		return trouble_ends[source][SIDE_SOURCE];
	if (destination != TROUBLE_NONE)
		return trouble_ends[destination][SIDE_DESTINATION];
	return END_UNSET;
}

static enum end judge_code(const struct outcome_input *in, int code)
{
	const struct progress *p = in->progress;
	enum end end = code_ends[code & 0xFF];

	if (p->out_of_memory && !p->statistics)
		return END_MEMORY;
	switch (end) {
	case END_UNSET: return END_UNKNOWN_CODE;
	case END_TLS:
	case END_AUTH:
	case END_CONNECTION:
	case END_AUTH_SOURCE:
	case END_AUTH_DESTINATION:
	case END_CONNECT_SOURCE:
	case END_CONNECT_DESTINATION: return judge_trouble(p) != END_UNSET ? judge_trouble(p) : end;
	case END_QUOTA:
		/* "90 % full" alone gives the same code; then everything was copied and nothing failed */
		if (p->statistics && !p->quota_full && p->messages_failed == 0 && !p->errors_max &&
		    !in->dry_run && p->looks_good)
			return END_QUOTA_WARNING;
		return END_QUOTA;
	case END_APPEND:
	case END_FETCH:
	case END_CREATE:
	case END_SELECT:
	case END_FLAGS:
	case END_SEARCH:
	case END_ERRORS: return p->errors_max ? END_ERRORS_MAX : end;
	default: return end;
	}
}

static enum end judge_signal(const struct outcome_input *in, int sig)
{
	if (in->progress->out_of_memory)
		return END_MEMORY;
	switch (sig) {
	case SIGKILL: return END_KILLED;
	case SIGSEGV:
	case SIGBUS:
	case SIGFPE:
	case SIGILL:
	case SIGABRT:
	case SIGSYS: return END_CRASHED;
	default: return END_SIGNAL;
	}
}

static enum end judge(const struct outcome_input *in)
{
	bool exited = in->have_status && WIFEXITED(in->wait_status);

	/* whoever lost the job says nothing about it, not even that it went well */
	if (in->wish == WISH_LOST)
		return END_LOST;
	if (in->start != START_OK)
		return start_ends[in->start];
	/* a run that reached its end before the wish did is what it is */
	if (exited && WEXITSTATUS(in->wait_status) == 0 && in->progress->statistics)
		return judge_success(in);
	if (in->wish != WISH_NONE)
		return wish_ends[in->wish];
	if (!in->have_status)
		return END_KILLED;
	if (!exited)
		return judge_signal(in, WTERMSIG(in->wait_status));
	if (WEXITSTATUS(in->wait_status) == 0)
		return judge_success(in);
	return judge_code(in, WEXITSTATUS(in->wait_status));
}

static struct outcome make(enum end end)
{
	const struct row *r = &rows[rows[end].reason != NULL ? end : END_UNSET];

	return (struct outcome){
	    .state = r->state,
	    .reason = r->reason,
	    .text = r->text,
	    .action = r->action,
	    .exit_code = -1,
	};
}

struct outcome outcome_judge(const struct outcome_input *in)
{
	struct outcome o = make(judge(in));

	if (in->have_status && WIFEXITED(in->wait_status))
		o.exit_code = WEXITSTATUS(in->wait_status);
	if (in->have_status && WIFSIGNALED(in->wait_status))
		o.exit_signal = WTERMSIG(in->wait_status);
	return o;
}

struct outcome outcome_orphan(void)
{
	return make(END_ORPHAN);
}
