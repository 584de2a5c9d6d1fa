/* The whole site: every address it answers, in one table. */
#ifndef MCV_FCGI_SITE_H
#define MCV_FCGI_SITE_H

#include "fcgi/route.h"

extern const struct route site_routes[];

#endif
