/* The interface describes itself. */
#include "config.h"

#include "fcgi/openapi.h"
#include "fcgi/page.h"
#include "fcgi/pages.h"
#include "fcgi/site.h"

enum err page_openapi(struct visit *v)
{
	return page_json(v, 200, openapi_describe(v->arena, site_routes, PACKAGE_VERSION));
}
