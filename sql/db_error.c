#include "sql/db_error.h"

#include <stdio.h>
#include <string.h>

#include <errmsg.h>
#include <mysqld_error.h>

enum { EE_WRITE_TEMPORARY = 3 };

bool db_error_is_gone(unsigned code)
{
	switch (code) {
	case CR_SERVER_GONE_ERROR:
	case CR_SERVER_LOST:
	case CR_SERVER_LOST_EXTENDED:
	case CR_CONNECTION_ERROR:
	case CR_CONN_HOST_ERROR:
	case CR_UNKNOWN_HOST:
	case CR_SSL_CONNECTION_ERROR:
	case ER_CONNECTION_KILLED:
	case ER_SERVER_SHUTDOWN:
	case ER_NET_READ_ERROR:
	case ER_NET_READ_INTERRUPTED:
	case ER_NET_ERROR_ON_WRITE:
	case ER_NET_WRITE_INTERRUPTED: return true;
	default: return false;
	}
}

enum err db_error_map(unsigned code, enum db_purpose purpose)
{
	enum err unreachable = purpose == DB_COMMIT ? ERR_UNCERTAIN : ERR_UNAVAILABLE;

	if (db_error_is_gone(code))
		return unreachable;
	switch (code) {
	case ER_UNKNOWN_COM_ERROR: /* 1047: a cluster node without quorum */
	case ER_ERROR_DURING_COMMIT: return unreachable;
	case ER_CON_COUNT_ERROR:
	case ER_TOO_MANY_USER_CONNECTIONS:
	case ER_OPTION_PREVENTS_STATEMENT: return ERR_UNAVAILABLE; /* read-only just now */
	case ER_LOCK_DEADLOCK:
	case ER_LOCK_WAIT_TIMEOUT:
	case ER_AUTOINC_READ_FAILED: /* what InnoDB calls a deadlock over the next id of INSERT ... SELECT */
	case ER_CHECKREAD: return ERR_BUSY;
	case ER_DUP_ENTRY:
	case ER_ROW_IS_REFERENCED_2:
	case ER_NO_REFERENCED_ROW_2:
	case ER_CONSTRAINT_FAILED: return ERR_CONFLICT;
	case ER_RECORD_FILE_FULL:
	case ER_DISK_FULL:
	case EE_WRITE_TEMPORARY: return ERR_FULL;
	case ER_DATA_TOO_LONG:
	case ER_NET_PACKET_TOO_LARGE:
	case ER_WARN_ALLOWED_PACKET_OVERFLOWED: return ERR_TOO_BIG;
	case ER_ACCESS_DENIED_ERROR:
	case ER_ACCESS_DENIED_NO_PASSWORD_ERROR:
	case ER_DBACCESS_DENIED_ERROR:
	case ER_BAD_DB_ERROR: return purpose == DB_CONNECT ? ERR_DENIED : ERR_INTERNAL;
	case ER_TRUNCATED_WRONG_VALUE_FOR_FIELD: /* not UTF-8 */
	case ER_WARN_DATA_OUT_OF_RANGE: return ERR_INVALID;
	default: return ERR_INTERNAL;
	}
}

static bool quotes_a_value(unsigned code)
{
	switch (code) {
	case ER_DUP_ENTRY:
	case ER_TRUNCATED_WRONG_VALUE:
	case ER_TRUNCATED_WRONG_VALUE_FOR_FIELD:
	case ER_WRONG_VALUE_FOR_TYPE:
	case ER_INVALID_CHARACTER_STRING: return true;
	default: return false;
	}
}

void db_error_describe(char *text, size_t size, unsigned code, const char *message, const char *sql)
{
	const char *quote = quotes_a_value(code) ? strchr(message, '\'') : NULL;
	const char *rest = "";
	size_t len;

	if (quote == NULL) {
		snprintf(text, size, "%u: %s", code, message);
	} else {
		for (const char *p = quote; (p = strstr(p, "' for ")) != NULL; p++)
			rest = p + 1;
		snprintf(text, size, "%u: %.*s...%s", code, (int)(quote - message), message, rest);
	}
	len = strlen(text);
	if (sql != NULL)
		snprintf(text + len, size - len, " (in: %.80s)", sql);
}
