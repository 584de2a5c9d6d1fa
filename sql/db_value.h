/* Inside of a result set: shared by db.c, which fills it, and db_value.c, which reads it.  For nobody else.
 */
#ifndef MCV_SQL_DB_VALUE_H
#define MCV_SQL_DB_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db_value {
	bool is_null;
	int64_t i;         /* integer bits (signed or not), or microseconds since 1970 UTC */
	const char *bytes; /* text and binary columns only */
	size_t len;
};

/* Moments as MariaDB gives them, proleptic Gregorian, UTC. */
int64_t db_value_us(unsigned year, unsigned month, unsigned day, unsigned hour, unsigned minute,
    unsigned second, unsigned long us);

/* The way back: "2026-01-31 20:15:00.000000"; room has DB_DATETIME_BYTES. */
enum { DB_DATETIME_BYTES = 40 };
void db_value_datetime(int64_t us, char *room);

#endif
