#include "config.h"

#include "imap/command.h"

enum err imap_compress(struct imap_session *s)
{
	struct imap_command c AUTO_COMMAND;

	imap_command_init(&c, s, "COMPRESS DEFLATE");
	enum err e = imap_session_ready(s);
	if (e != ERR_OK)
		return e;
	if (!s->authenticated || !imap_session_can(s, "COMPRESS=DEFLATE"))
		return imap_session_fail(
		    s, IMAP_COMMAND_REFUSED, "the server does not offer COMPRESS=DEFLATE");
	e = imap_command_run(s, &c, NULL);
	if (e != ERR_OK)
		return e;
	e = imap_stream_deflate(s->stream, &s->failure);
	s->alive = e == ERR_OK;
	return e;
}

int64_t imap_round_trip_ms(const struct imap_session *s)
{
	return s->quickest_ms;
}
