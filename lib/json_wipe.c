#include "lib/json_wipe.h"

#include <stdint.h>
#include <string.h>

/* Passwords among them: json-c frees its copies as they are.  Its keys are names of ours and stay. */
static void wipe_strings(struct json_object *o)
{
	if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach(o, key, val)
		{
			(void)key;
			wipe_strings(val);
		}
	} else if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			wipe_strings(json_object_array_get_idx(o, i));
	} else if (json_object_is_type(o, json_type_string)) {
		/* its own bytes, as json_object.h says; only const because they are not ours to change */
		explicit_bzero(
		    (char *)(uintptr_t)json_object_get_string(o), (size_t)json_object_get_string_len(o));
	}
}

void json_wipe(struct json_object **o)
{
	wipe_strings(*o);
	json_object_put(*o);
	*o = NULL;
}
