/*
 * Typed forms.  Each form is a table, one row a field; form_read() checks a request's parameters against it,
 * so that a handler only ever sees a value that keeps the row's rules, or the reason why there is none.  A
 * refused form goes back filled in through form_json(): everything but passwords.
 */
#ifndef MCV_FCGI_FORM_H
#define MCV_FCGI_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>

#include "fcgi/request.h"
#include "lib/vault.h"

/* Of a mailbox: no mechanism takes a longer password (imap/sasl.h); an access token may be longer. */
enum { FORM_PASSWORD_MAX_BYTES = 1024, FORM_SECRET_MAX_BYTES = VAULT_PLAIN_MAX_BYTES };

enum form_kind {
	FORM_TEXT = 1, /* spaces at both ends cut; no control or hidden characters; max_bytes */
	FORM_LINES,    /* the same, but of several lines, "\n" between */
	FORM_PASSWORD, /* as typed; no CR or LF (it will stand in a protocol line); max_bytes; never sent back
			*/
	FORM_EMAIL,    /* text with one '@' inside */
	FORM_HOST,   /* a DNS name (ASCII, RFC 1123) or an IP address, IPv6 also in brackets; brackets are cut
		      */
	FORM_NUMBER, /* decimal, min to max */
	FORM_CHOICE, /* one of choices */
	FORM_CHECK,  /* present and not "0" = checked; never invalid */
	FORM_OPTIONS, /* "1": fields for a job's options are there, too (options_form.h reads them) */
	FORM_PATH /* a path on this site ("/…", not "//…") that fits a header; anything else counts as absent
		   */
};

struct form_spec {
	const char *name;
	enum form_kind kind;
	size_t max_bytes; /* FORM_TEXT, FORM_LINES, FORM_PASSWORD, FORM_EMAIL, FORM_HOST, FORM_PATH: required,
			     > 0 */
	bool required;
	uint64_t min, max;          /* FORM_NUMBER */
	const char *const *choices; /* FORM_CHOICE: NULL-terminated */
};

enum form_state { FORM_ABSENT, FORM_INVALID, FORM_VALUE };

struct form_field {
	const struct form_spec *spec;
	enum form_state state;
	const char
	    *text; /* FORM_VALUE: the checked value; else what was sent, for showing again; never NULL */
	uint64_t number;   /* FORM_NUMBER with FORM_VALUE */
	bool checked;      /* FORM_CHECK */
	const char *error; /* why it was refused, a sentence for the person; or NULL */
};

struct form {
	struct form_field *fields;
	unsigned count;
	const char *error; /* about the form as a whole, or NULL */
	bool has_errors;
};

/*
 * Read params into f by the table of count rows (which must outlive f); memory from a.  A required field that
 * is absent or empty is FORM_INVALID.  ERR_INVALID when any field is; f is filled in any case.
 */
enum err form_read(struct form *f, struct arena *a, const struct params *params,
    const struct form_spec *specs, unsigned count) MUST_CHECK;

/* An untouched form, to be filled with form_set(): nothing required yet. */
void form_blank(struct form *f, struct arena *a, const struct form_spec *specs, unsigned count);

/* The field of that name, which must be in the table (a name that is not ends the process: a bug). */
struct form_field *form_get(const struct form *f, const char *name);

/* Put a value in, as if it had been read and found good.  text is not copied; NULL makes the field absent. */
void form_set(struct form *f, const char *name, const char *text);
void form_set_number(struct form *f, struct arena *a, const char *name, uint64_t number);
void form_set_check(struct form *f, const char *name, bool checked);

/* Whether the request says anything of a box: it, or the hidden "NAME_present" that stands beside it in a
 * page, where a box that is not ticked sends nothing. */
bool form_says(const struct form *f, const char *name);

/* Refuse a field (name NULL: the form) for a reason only the handler knows.  reason is not copied. */
void form_refuse(struct form *f, const char *name, const char *reason);

/* Take a refusal back: the field is not needed this time.  What was sent stays to be shown. */
void form_forgive(struct form *f, const char *name);

/* {"FIELD":{"value","error","checked"}}: the "form" key of a view model.  The caller owns it. */
struct json_object *form_json(const struct form *f);

/* {"FIELD":"reason"} of the refused ones: "fields" of a problem object.  The caller owns it. */
struct json_object *form_problems(const struct form *f);

/* Whether text (may be NULL) is a row's id: decimal, no leading zero, 1 to 2^63-1. */
bool form_id(const char *text, uint64_t *id_r);

/* A table for who only describes it: "const struct form_table x = {FORM_ROWS(specs)};" */
struct form_table {
	const struct form_spec *specs;
	unsigned count;
};

#define FORM_COUNT(table) (unsigned)(sizeof(table) / sizeof((table)[0]))
#define FORM_ROWS(table) (table), FORM_COUNT(table)

#endif
