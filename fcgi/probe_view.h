/*
 * The result of a server test in plain words: the "test" object of a view model (fcgi/VIEWMODELS.md).  Each
 * cause that imap/ tells apart has its own title and its own next step.
 */
#ifndef MCV_FCGI_PROBE_VIEW_H
#define MCV_FCGI_PROBE_VIEW_H

#include <json-c/json.h>

#include "imap/probe.h"
#include "lib/arena.h"

/*
 * rq and r as given to and filled by imap_probe().  host, user and port are shown, the password never.  The
 * caller owns the object.
 */
struct json_object *probe_view(
    struct arena *a, const struct imap_probe_request *rq, const struct imap_probe_result *r);

#endif
