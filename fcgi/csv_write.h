/*
 * CSV for people with spreadsheets.  Pure.
 */
#ifndef MCV_FCGI_CSV_WRITE_H
#define MCV_FCGI_CSV_WRITE_H

#include "lib/buf.h"

/*
 * Append s as one field (RFC 4180), quoted where it must be.  A field that a spreadsheet would take for a
 * formula (it begins with = + - @, tab or CR, whatever blanks stand before) gets an apostrophe in front.
 */
void csv_write_field(struct buf *out, const char *s);

/* s without the apostrophe that csv_write_field() put in front of it; else s. */
const char *csv_without_guard(const char *s);

#endif
