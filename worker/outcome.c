#include "worker/outcome.h"

#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>

#include "worker/endings.h"

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
    [START_NO_ENGINE] = END_NO_ENGINE,
    [START_EXEC] = END_EXEC,
    [START_SEAL] = END_SEAL,
    [START_DENIED_SOURCE] = END_DENIED_SOURCE,
    [START_DENIED_DESTINATION] = END_DENIED_DESTINATION,
    [START_REFUSED] = END_NOT_ALLOWED,
    [START_DELETE2_REFUSED] = END_DELETE2_REFUSED,
    [START_DELETE2_CHANGED] = END_DELETE2_CHANGED,
    [START_NAME_SOURCE] = END_NAME_SOURCE,
    [START_NAME_DESTINATION] = END_NAME_DESTINATION,
    [START_INVALID] = END_INVALID,
    [START_OPTIONS] = END_OPTIONS,
    [START_OPTIONS_UNKNOWN] = END_OPTIONS_UNKNOWN,
    [START_SYSTEM] = END_SYSTEM,
    [START_INCOMPLETE] = END_ORPHAN,
};

static const enum end trouble_ends[TROUBLE__MAX][2] = {
    [TROUBLE_LOGIN_REFUSED] = {END_AUTH_SOURCE, END_AUTH_DESTINATION},
    [TROUBLE_LOGIN_BUSY] = {END_BUSY_SOURCE, END_BUSY_DESTINATION},
    [TROUBLE_TOKEN_REFUSED] = {END_TOKEN_SOURCE, END_TOKEN_DESTINATION},
    [TROUBLE_MECHANISM] = {END_MECHANISM_SOURCE, END_MECHANISM_DESTINATION},
    [TROUBLE_NO_PASSWORDS] = {END_NO_PASSWORDS_SOURCE, END_NO_PASSWORDS_DESTINATION},
    [TROUBLE_UNPROVEN] = {END_UNPROVEN_SOURCE, END_UNPROVEN_DESTINATION},
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
	if (p->folders_missing > 0)
		return END_FOLDERS_MISSING;
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
	case END_SEARCH: return p->errors_max ? END_ERRORS_MAX : end;
	case END_ERRORS:
		if (p->errors_max)
			return END_ERRORS_MAX;
		/* with other errors those are the reason for it */
		return p->kept_surplus && p->errors <= 1 ? END_DELETE2_KEPT : end;
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
	const struct ending *r = ending_of(end);

	return (struct outcome){
	    .state = r->state,
	    .reason = r->reason,
	    .text = r->text,
	    .action = r->action,
	    .exit_code = -1,
	};
}

static struct outcome make_of_run(enum end end, const struct outcome_input *in)
{
	struct outcome o = make(end);

	if (in->have_status && WIFEXITED(in->wait_status))
		o.exit_code = WEXITSTATUS(in->wait_status);
	if (in->have_status && WIFSIGNALED(in->wait_status))
		o.exit_signal = WTERMSIG(in->wait_status);
	return o;
}

struct outcome outcome_judge(const struct outcome_input *in)
{
	return make_of_run(judge(in), in);
}

bool outcome_is_worth_verifying(const struct outcome_input *copy)
{
	switch (judge(copy)) {
	case END_OK:
	case END_OK_NOTHING:
	case END_OK_MISSING:
	case END_OK_UNIDENTIFIED:
	case END_OK_RECONNECTED:
	case END_QUOTA_WARNING: return true;
	case END_FOLDERS_MISSING: return !copy->dry_run;
	case END_QUOTA:
	case END_APPEND:
	case END_FETCH:
	case END_CREATE:
	case END_SELECT:
	case END_EXCEEDED:
	case END_VIRUS:
	case END_FLAGS:
	case END_SEARCH:
	case END_ERRORS:
	case END_DELETE2_KEPT:
	case END_ERRORS_MAX: return copy->progress->statistics;
	default: return false;
	}
}

/* Why a verification could not be done: a run that ended like this, told as one that copies is. */
static enum end judge_undone(const struct outcome_input *in, const struct verified *found)
{
	bool exited = in->have_status && WIFEXITED(in->wait_status);

	if (in->start != START_OK)
		return start_ends[in->start];
	if (exited && found->summary)
		return judge_trouble(in->progress) != END_UNSET ? judge_trouble(in->progress)
								: END_VERIFY_INCOMPLETE;
	return judge(in);
}

static enum end judge_proof(const struct verified *found)
{
	if (found->missing > 0)
		return found->elsewhere > 0 ? END_VERIFY_MISSING_ELSEWHERE : END_VERIFY_MISSING;
	if (found->altered > 0)
		return END_VERIFY_ALTERED;
	return found->doubled > 0 ? END_VERIFY_DOUBLED : END_OK;
}

struct outcome outcome_judge_verified(
    const struct outcome_input *copy, const struct outcome_input *verification, const struct verified *found)
{
	enum end end = judge(copy);
	enum end fault = found->summary ? judge_proof(found) : END_OK;
	bool ended = found->summary && found->unread == 0 && verification->have_status &&
		     WIFEXITED(verification->wait_status) && WEXITSTATUS(verification->wait_status) == 0;
	bool good = ending_of(end)->state == RUN_DONE;
	enum proof proof = fault != END_OK ? PROOF_FAULTS : ended ? PROOF_GOOD : PROOF_UNDONE;
	struct outcome o;

	if (verification->wish == WISH_LOST)
		end = END_LOST;
	else if (good && proof == PROOF_FAULTS)
		end = fault;
	else if (good && proof == PROOF_UNDONE)
		end = verification->wish == WISH_CANCEL ? END_VERIFY_CANCELLED : END_OK_UNVERIFIED;
	else if (good && found->newer > 0)
		end = END_OK_NEWER;
	else if (good && end != END_QUOTA_WARNING && end != END_OK_NOTHING)
		end = END_OK;
	o = make_of_run(end, copy);
	o.proof = proof;
	if (proof == PROOF_UNDONE)
		o.proof_note = ending_of(judge_undone(verification, found))->text;
	return o;
}

struct outcome outcome_orphan(void)
{
	return make(END_ORPHAN);
}
