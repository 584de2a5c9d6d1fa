/* The three ways to protect an IMAP connection, in words, and as imap/ calls them.  Pure. */
#ifndef MCV_FCGI_SECURITY_VIEW_H
#define MCV_FCGI_SECURITY_VIEW_H

#include <json-c/json.h>

#include "imap/stream.h"
#include "sql/job.h"

/* "SSL/TLS", "STARTTLS", "None". */
const char *security_text(enum security s);
enum imap_security security_for_imap(enum security s);

/* "tls", "starttls", "none", NULL: for form tables. */
extern const char *const security_choices[];

/* The list "security_options": value, label, hint, default_port, selected.  The caller owns it. */
struct json_object *security_options(const char *selected);

#endif
