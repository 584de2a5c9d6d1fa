/* A POST whose body is JSON, on its way through the request into a form: what comes out keeps every rule. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "fcgi/form.h"
#include "fcgi/request.h"
#include "lib/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const choices[] = {"tls", "starttls", "none", NULL};
static const struct form_spec specs[] = {
    {.name = "name", .kind = FORM_TEXT, .max_bytes = 20, .required = true},
    {.name = "host", .kind = FORM_HOST, .max_bytes = 255},
    {.name = "port", .kind = FORM_NUMBER, .min = 1, .max = 65535},
    {.name = "security", .kind = FORM_CHOICE, .choices = choices},
    {.name = "verify", .kind = FORM_CHECK},
    {.name = "password", .kind = FORM_PASSWORD, .max_bytes = 100},
    {.name = "email", .kind = FORM_EMAIL, .max_bytes = 100},
    {.name = "next", .kind = FORM_PATH, .max_bytes = 100},
};

struct body {
	const uint8_t *at;
	size_t left;
};

static size_t read_body(void *arg, char *dst, size_t len)
{
	struct body *b = arg;

	if (len > b->left)
		len = b->left;
	memcpy(dst, b->at, len);
	b->at += len;
	b->left -= len;
	return len;
}

static void check_form(struct request *rq)
{
	struct form f;
	struct json_object *shown, *password;
	const struct form_field *port, *field;

	if (form_read(&f, rq->arena, &rq->body, FORM_ROWS(specs)) != ERR_OK)
		assert(f.has_errors);
	port = form_get(&f, "port");
	assert(port->state != FORM_VALUE || (port->number >= 1 && port->number <= 65535));
	field = form_get(&f, "name");
	assert(field->state != FORM_VALUE || (field->text[0] != '\0' && strlen(field->text) <= 20));
	field = form_get(&f, "security");
	assert(field->state != FORM_VALUE || strcmp(field->text, "tls") == 0 ||
	       strcmp(field->text, "starttls") == 0 || strcmp(field->text, "none") == 0);
	field = form_get(&f, "next");
	assert(field->state != FORM_VALUE || (field->text[0] == '/' && field->text[1] != '/'));
	shown = form_json(&f);
	password = json_object_object_get(json_object_object_get(shown, "password"), "value");
	assert(json_object_get_string_len(password) == 0);
	json_object_put(shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char length[40];
	char method[] = "REQUEST_METHOD=POST", uri[] = "REQUEST_URI=/api/v1/servers",
	     type[] = "CONTENT_TYPE=application/json; charset=utf-8";
	char *env[] = {method, uri, type, length, NULL};
	struct body body = {data, size};
	struct request_source src = {.env = env, .read_body = read_body, .arg = &body};
	struct request *rq;

	(void)snprintf(length, sizeof(length), "CONTENT_LENGTH=%zu", size);
	if (request_parse(&src, NULL, &rq) == ERR_OK) {
		assert(rq->body.count <= REQUEST_PARAMS_MAX && body.left == 0);
		for (unsigned i = 0; i < rq->body.count; i++) {
			const struct param *p = &rq->body.list[i];

			assert(p->name[0] != '\0' && utf8_valid(p->name, strlen(p->name)));
			assert(utf8_valid(p->value, strlen(p->value)));
			/* the first of its name, unless names may repeat */
			assert(params_get(&rq->body, p->name) == p->value || strstr(p->name, "[]") != NULL);
		}
		check_form(rq);
	} else {
		assert(rq->bad_status == 400 || rq->bad_status == 413);
	}
	request_free(&rq);
	return 0;
}
