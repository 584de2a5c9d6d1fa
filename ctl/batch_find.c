#include "ctl/batch_find.h"

#include "ctl/model.h"
#include "lib/parse.h"

enum ctl_exit batch_find(struct ctl *ctl, struct api *api, const char *word, const char **id_r)
{
	struct json_object *model;
	uint64_t id;
	size_t count;
	enum ctl_exit code;

	*id_r = word;
	if (parse_u64(word, 1, INT64_MAX, &id) == ERR_OK)
		return CTL_OK;
	code = api_get(api, NULL, api_query(api, "/batches", "tag", word), &model);
	if (code != CTL_OK)
		return code;
	count = model_count(model, "batches");
	if (count == 1)
		*id_r = arena_printf(
		    ctl->a, "%lld", (long long)model_number(model_item(model, "batches", 0), "id"));
	else
		ctl_complain(count == 0 ? "there is no batch %s"
					: "several accounts have a batch %s: say whose with --account",
		    word);
	json_object_put(model);
	return count == 1 ? CTL_OK : CTL_REFUSED;
}
