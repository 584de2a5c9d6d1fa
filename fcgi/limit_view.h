/* What to say when an account's limit stands in the way (ERR_LIMIT). */
#ifndef MCV_FCGI_LIMIT_VIEW_H
#define MCV_FCGI_LIMIT_VIEW_H

#include "fcgi/visit.h"

/* How the visitor's account stands against its limits, in one or two sentences; lives in the visit's arena.
 */
const char *limit_text(struct visit *v);

#endif
