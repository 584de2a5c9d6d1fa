#include "engine/state_codec.h"

#include <string.h>

void codec_put(uint8_t *to, uint64_t n, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		to[i] = (uint8_t)(n >> (8 * i));
}

uint64_t codec_get(const uint8_t *from, unsigned len)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < len; i++)
		n |= (uint64_t)from[i] << (8 * i);
	return n;
}

void codec_put_row(uint8_t to[CODEC_ROW_LEN], const struct message *m)
{
	memcpy(to, m->id.key, 16);
	codec_put(to + 16, m->id.hint, 8);
	codec_put(to + 24, m->size, 8);
	codec_put(to + 32, (uint64_t)m->date_s, 8);
	codec_put(to + 40, m->keywords, 8);
	codec_put(to + 48, m->uid, 4);
	to[52] = m->flags;
}

void codec_get_row(const uint8_t from[CODEC_ROW_LEN], struct message *m)
{
	memcpy(m->id.key, from, 16);
	m->id.hint = codec_get(from + 16, 8);
	m->size = codec_get(from + 24, 8);
	m->date_s = (int64_t)codec_get(from + 32, 8);
	m->keywords = codec_get(from + 40, 8);
	m->uid = (uint32_t)codec_get(from + 48, 4);
	m->flags = from[52];
	m->known = m->identified = true;
}

void codec_put_folder(uint8_t to[CODEC_FOLDER_LEN], const struct state_folder *f)
{
	to[0] = f->settled;
	codec_put(to + 1, f->paired, 4);
	for (unsigned side = 0; side < 2; side++) {
		const struct state_side *s = &f->sides[side];
		uint8_t *at = to + 5 + side * 53;
		at[0] = s->listed;
		codec_put(at + 1, s->uidvalidity, 4);
		codec_put(at + 5, s->uidnext, 4);
		codec_put(at + 9, s->modseq, 8);
		codec_put(at + 17, s->count, 4);
		codec_put(at + 21, s->duplicates, 4);
		codec_put(at + 25, s->size.messages, 4);
		codec_put(at + 29, s->size.bytes, 8);
		codec_put(at + 37, s->size.biggest, 8);
		codec_put(at + 45, s->keeper, 8);
	}
}

void codec_get_folder(const uint8_t from[CODEC_FOLDER_LEN], struct state_folder *f)
{
	f->settled = from[0] == 1;
	f->paired = (uint32_t)codec_get(from + 1, 4);
	for (unsigned side = 0; side < 2; side++) {
		struct state_side *s = &f->sides[side];
		const uint8_t *at = from + 5 + side * 53;
		s->listed = at[0] == 1;
		s->uidvalidity = (uint32_t)codec_get(at + 1, 4);
		s->uidnext = (uint32_t)codec_get(at + 5, 4);
		s->modseq = codec_get(at + 9, 8);
		s->count = (uint32_t)codec_get(at + 17, 4);
		s->duplicates = (uint32_t)codec_get(at + 21, 4);
		s->size.messages = codec_get(at + 25, 4);
		s->size.bytes = codec_get(at + 29, 8);
		s->size.biggest = codec_get(at + 37, 8);
		s->keeper = codec_get(at + 45, 8);
	}
}
