/* Forms: every accepted value keeps the rule of its row, and no password comes back. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "fcgi/form.h"
#include "fcgi/tail.h"
#include "lib/utf8.h"
#include "lib/visible.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const choices[] = {"tls", "starttls", "none", NULL};
static const struct form_spec specs[] = {
    {.name = "n", .kind = FORM_TEXT, .max_bytes = 20, .required = true},
    {.name = "h", .kind = FORM_HOST, .max_bytes = 255},
    {.name = "p", .kind = FORM_NUMBER, .min = 1, .max = 65535},
    {.name = "c", .kind = FORM_CHOICE, .choices = choices},
    {.name = "k", .kind = FORM_CHECK},
    {.name = "s", .kind = FORM_PASSWORD, .max_bytes = 100},
    {.name = "e", .kind = FORM_EMAIL, .max_bytes = 100},
    {.name = "u", .kind = FORM_PATH, .max_bytes = 100},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA struct arena *a = arena_new();
	AUTO_BUF struct buf text = BUF_INIT;
	AUTO_BUF struct buf shown = BUF_INIT;
	struct params ps = {0};
	struct json_object *o;
	struct form f;
	size_t took;

	took = tail_text((const char *)data, size, TAIL_LAST, &text);
	assert(took == size && utf8_valid(text.data, text.len));
	visible_text(text.data, text.len, &shown);
	assert(utf8_valid(shown.data, shown.len));

	if (params_parse(&ps, a, (const char *)data, size) != ERR_OK)
		return 0;
	if (form_read(&f, a, &ps, FORM_ROWS(specs)) != ERR_OK)
		assert(f.has_errors);
	if (form_get(&f, "h")->state == FORM_VALUE)
		assert(strpbrk(form_get(&f, "h")->text, "\r\n /\"'<>") == NULL);
	if (form_get(&f, "p")->state == FORM_VALUE)
		assert(form_get(&f, "p")->number >= 1 && form_get(&f, "p")->number <= 65535);
	if (form_get(&f, "s")->state == FORM_VALUE)
		assert(strpbrk(form_get(&f, "s")->text, "\r\n") == NULL);
	if (form_get(&f, "u")->state == FORM_VALUE)
		assert(form_get(&f, "u")->text[0] == '/' && form_get(&f, "u")->text[1] != '/');
	o = form_json(&f);
	assert(
	    json_object_get_string_len(json_object_object_get(json_object_object_get(o, "s"), "value")) == 0);
	json_object_put(o);
	return 0;
}
