/*
 * The numbers of engine/state.c's file, each in a fixed place.  Pure.
 */
#ifndef MCV_ENGINE_STATE_CODEC_H
#define MCV_ENGINE_STATE_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "engine/match.h"
#include "engine/state.h"

#define CODEC_ROW_LEN 53
#define CODEC_FOLDER_LEN (5 + 2 * 53)

/* len bytes, little-endian. */
void codec_put(uint8_t *to, uint64_t n, unsigned len);
uint64_t codec_get(const uint8_t *from, unsigned len);

/* A message as listed; partner, number and known are not kept: it comes back known, identified, unpaired. */
void codec_put_row(uint8_t to[CODEC_ROW_LEN], const struct message *m);
void codec_get_row(const uint8_t from[CODEC_ROW_LEN], struct message *m);

void codec_put_folder(uint8_t to[CODEC_FOLDER_LEN], const struct state_folder *f);
void codec_get_folder(const uint8_t from[CODEC_FOLDER_LEN], struct state_folder *f);

#endif
