#include "sql/db_value.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sql/db.h"

enum { US_PER_S = 1000000 };

struct db_param db_p_u64(uint64_t v)
{
	return (struct db_param){.type = DB_P_U64, .u = v};
}

struct db_param db_p_i64(int64_t v)
{
	return (struct db_param){.type = DB_P_I64, .i = v};
}

struct db_param db_p_str(const char *s)
{
	return db_p_blob(s, s != NULL ? strlen(s) : 0);
}

struct db_param db_p_blob(const void *bytes, size_t len)
{
	if (bytes == NULL)
		return db_p_null();
	return (struct db_param){.type = DB_P_BYTES, .b = {.p = bytes, .len = len}};
}

struct db_param db_p_id(uint64_t id)
{
	return id != 0 ? db_p_u64(id) : db_p_null();
}

struct db_param db_p_count(int64_t v)
{
	return v >= 0 ? db_p_i64(v) : db_p_null();
}

struct db_param db_p_time(int64_t us)
{
	return (struct db_param){.type = DB_P_TIME, .i = us};
}

struct db_param db_p_null(void)
{
	return (struct db_param){.type = DB_P_NULL};
}

static const struct db_value *value_at(const struct db_rows *rows, size_t row, unsigned column)
{
	assert(row < rows->count && column < rows->columns);
	return &rows->values[row * rows->columns + column];
}

bool db_is_null(const struct db_rows *rows, size_t row, unsigned column)
{
	return value_at(rows, row, column)->is_null;
}

uint64_t db_u64(const struct db_rows *rows, size_t row, unsigned column)
{
	return (uint64_t)value_at(rows, row, column)->i;
}

int64_t db_i64(const struct db_rows *rows, size_t row, unsigned column)
{
	return value_at(rows, row, column)->i;
}

int64_t db_count(const struct db_rows *rows, size_t row, unsigned column)
{
	const struct db_value *v = value_at(rows, row, column);

	return v->is_null ? -1 : v->i;
}

const char *db_str(const struct db_rows *rows, size_t row, unsigned column)
{
	return value_at(rows, row, column)->bytes;
}

const void *db_blob(const struct db_rows *rows, size_t row, unsigned column, size_t *len_r)
{
	const struct db_value *v = value_at(rows, row, column);

	*len_r = v->len;
	return v->bytes;
}

int64_t db_time_us(const struct db_rows *rows, size_t row, unsigned column)
{
	return value_at(rows, row, column)->i;
}

int64_t db_time_s(const struct db_rows *rows, size_t row, unsigned column)
{
	return value_at(rows, row, column)->i / US_PER_S;
}

int64_t db_value_us(unsigned year, unsigned month, unsigned day, unsigned hour, unsigned minute,
    unsigned second, unsigned long us)
{
	/* Days since 1970-01-01, with years that begin in March so that the leap day comes last. */
	int64_t y = (int64_t)year - (month <= 2);
	int64_t era = y / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;
	int64_t days = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;

	return ((days * 24 + hour) * 60 + minute) * 60 * US_PER_S + (int64_t)second * US_PER_S + (int64_t)us;
}

void db_value_datetime(int64_t us, char *room)
{
	int64_t below = us % US_PER_S;
	time_t s = (time_t)(us / US_PER_S);
	struct tm tm;

	if (below < 0) {
		below += US_PER_S;
		s--;
	}
	/* A year beyond the calendar becomes one that MariaDB refuses. */
	if (gmtime_r(&s, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	snprintf(room, DB_DATETIME_BYTES, "%04d-%02d-%02d %02d:%02d:%02d.%06d", (tm.tm_year + 1900) % 10000,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)below);
}

enum err db_query_one(struct db *db, struct arena *a, const char *sql, const struct db_param *params,
    size_t count, struct db_rows *rows_r)
{
	enum err e = db_query(db, a, sql, params, count, rows_r);

	return e == ERR_OK && rows_r->count == 0 ? ERR_NOT_FOUND : e;
}
