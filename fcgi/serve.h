/*
 * One request from its first byte to its last: parse, find the route, decide who may pass, let the handler
 * fill the answer, send it.
 */
#ifndef MCV_FCGI_SERVE_H
#define MCV_FCGI_SERVE_H

#include "fcgi/visit.h"
#include "lib/err.h"

/* Serve src; what is to be sent goes to sink.  What response_send() returns. */
enum err serve(struct web *web, const struct request_source *src, struct response_sink *sink) MUST_CHECK;

#endif
