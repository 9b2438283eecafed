/*
 * rolling_io.c - text and binary form of interaction_history.
 *
 * Text: {2026-01-05T10:00:00Z=0.8,2026-01-05T10:00:00.25Z=1}, times in UTC with as many decimals as they need; one
 * that keeps the latest six begins (latest=6){...; empty {}. Input takes the stored form only: ascending order.
 * Binary: version, flags (uint16 each), keep, number of interactions (int32 each), then time in microseconds since
 * 2000-01-01 UTC (int64) and score (float8) of each.
 */
#include "rolling.h"

#include "libpq/pqformat.h"

/* What an interaction takes at least in the text, "2026-01-05T10:00:00Z=1,", and exactly in the binary form. */
#define ENTRY_TEXT_MIN 23
#define ENTRY_BINARY_SIZE 16

typedef struct Parser
{
	const char *text;
	const char *cursor;
	struct Node *escontext;		/* where soft errors go, or NULL */
	InteractionHistory *h;
} Parser;

/* ---- times ------------------------------------------------------------------------------------- */

#define FRACTION_DIGITS 6

void
append_time(StringInfo buf, TimestampTz at)
{
	int64		day = at / USECS_PER_DAY - (at % USECS_PER_DAY < 0);
	int64		time = at - day * USECS_PER_DAY;
	int			fraction = (int) (time % USECS_PER_SEC);
	int			seconds = (int) (time / USECS_PER_SEC);

	append_day(buf, (DateADT) day);
	appendStringInfo(buf, "T%02d:%02d:%02d", seconds / SECS_PER_HOUR, seconds / SECS_PER_MINUTE % MINS_PER_HOUR,
					 seconds % SECS_PER_MINUTE);
	if (fraction != 0)
	{
		appendStringInfo(buf, ".%0*d", FRACTION_DIGITS, fraction);
		while (buf->data[buf->len - 1] == '0')
			buf->data[--buf->len] = '\0';
	}
	appendStringInfoChar(buf, 'Z');
}

const char *
time_text(TimestampTz at)
{
	StringInfoData buf;

	if (TIMESTAMP_NOT_FINITE(at))
		return TIMESTAMP_IS_NOBEGIN(at) ? "-infinity" : "infinity";
	initStringInfo(&buf);
	append_time(&buf, at);
	return buf.data;
}

/* Two digits below `limit` as a number, or -1. */
static int
two_digits(const char *s, int limit)
{
	int			value;

	if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
		return -1;
	value = 10 * (s[0] - '0') + (s[1] - '0');
	return value < limit ? value : -1;
}

/* Read what append_time() writes, up to six decimals, and move the cursor behind it; false where there is none. */
static bool
scan_time(const char **cursor, TimestampTz *at)
{
	const char *s = *cursor;
	DateADT		day;
	int			hour;
	int			minute;
	int			second;
	int			fraction = 0;

	if (!scan_day(&s, &day) || !scan_literal(&s, "T"))
		return false;
	hour = two_digits(s, HOURS_PER_DAY);
	minute = hour >= 0 && s[2] == ':' ? two_digits(s + 3, MINS_PER_HOUR) : -1;
	second = minute >= 0 && s[5] == ':' ? two_digits(s + 6, SECS_PER_MINUTE) : -1;
	if (second < 0)
		return false;
	s += strlen("10:00:00");
	if (*s == '.')
	{
		int			digits = (int) strspn(++s, "0123456789");

		if (digits < 1 || digits > FRACTION_DIGITS)
			return false;
		for (int i = 0; i < FRACTION_DIGITS; i++)
			fraction = 10 * fraction + (i < digits ? s[i] - '0' : 0);
		s += digits;
	}
	if (!scan_literal(&s, "Z"))
		return false;
	*at = day * USECS_PER_DAY + (hour * SECS_PER_HOUR + minute * SECS_PER_MINUTE + second) * USECS_PER_SEC + fraction;
	*cursor = s;
	return true;
}

/* ---- text input -------------------------------------------------------------------------------- */

static bool
syntax_error(Parser *p, const char *expected)
{
	REJECT(p,
		   (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			errmsg("invalid input syntax for type %s", "interaction_history"),
			errdetail("Expected %s at character %d.", expected, (int) (p->cursor - p->text) + 1),
			errhint("A history looks like {2026-01-05T10:00:00Z=0.8,2026-01-07T09:30:00Z=1}.")));
}

static bool
order_error(Parser *p, const Interaction *entry)
{
	REJECT(p,
		   (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			errmsg("invalid input for type %s: interactions must be in ascending order", "interaction_history"),
			errdetail("%s comes before the interaction that it follows.", time_text(entry->at)),
			errhint("Build histories from unsorted rows with the aggregate interaction_history(at, score).")));
}

static bool
parse_keep(Parser *p)
{
	int64		keep;

	if (!scan_mark(&p->cursor, "("))
		return true;
	if (!scan_literal(&p->cursor, "latest=") || !scan_int64(&p->cursor, &keep) ||
		keep < 1 || keep > INTERACTIONS_MOST_KEPT)
		return syntax_error(p, "latest=1 to latest=1000");
	p->h->keep = (int32) keep;
	return scan_mark(&p->cursor, ")") || syntax_error(p, "\")\"");
}

static bool
parse_entry(Parser *p)
{
	InteractionHistory *h = p->h;
	Interaction entry;

	if (!scan_time(&p->cursor, &entry.at))
		return syntax_error(p, "a time as YYYY-MM-DDTHH:MM:SSZ");
	if (!scan_mark(&p->cursor, "="))
		return syntax_error(p, "\"=\"");
	if (!scan_double(&p->cursor, &entry.value))
		return syntax_error(p, "a finite number");
	if (h->n > 0 && compare_interactions(&entry, &h->entries[h->n - 1]) < 0)
		return order_error(p, &entry);
	if (interactions_full(h))
		return syntax_error(p, "no more interactions than latest says");
	h->entries[h->n++] = entry;
	return true;
}

static bool
parse_history(Parser *p)
{
	if (!parse_keep(p))
		return false;
	if (!scan_mark(&p->cursor, "{"))
		return syntax_error(p, "\"{\"");
	if (!scan_mark(&p->cursor, "}"))
	{
		do
		{
			if (!parse_entry(p))
				return false;
		} while (scan_mark(&p->cursor, ","));
		if (!scan_mark(&p->cursor, "}"))
			return syntax_error(p, "\",\" or \"}\"");
	}
	if (*p->cursor != '\0')
		return syntax_error(p, "the end");
	return true;
}

PG_FUNCTION_INFO_V1(clv_rolling_in);
Datum
clv_rolling_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	Size		most = strlen(text) / ENTRY_TEXT_MIN + 1;
	Parser		p = {.text = text, .cursor = text, .escontext = fcinfo->context};

	p.h = interactions_new((int32) Min(most, INTERACTIONS_MAX), 0);
	p.h->flags = 0;
	if (!parse_history(&p))
		PG_RETURN_NULL();

	SET_VARSIZE(p.h, INTERACTIONS_SIZE(p.h->n));
	AssertInteractions(p.h);
	PG_RETURN_POINTER(p.h);
}

/* ---- text output ------------------------------------------------------------------------------- */

PG_FUNCTION_INFO_V1(clv_rolling_out);
Datum
clv_rolling_out(PG_FUNCTION_ARGS)
{
	const InteractionHistory *h = PG_GETARG_INTERACTIONS(0);
	StringInfoData buf;

	initStringInfo(&buf);
	if (h->keep > 0)
		appendStringInfo(&buf, "(latest=%d)", h->keep);
	appendStringInfoChar(&buf, '{');
	for (int32 i = 0; i < h->n; i++)
	{
		if (i > 0)
			appendStringInfoChar(&buf, ',');
		append_time(&buf, h->entries[i].at);
		appendStringInfoChar(&buf, '=');
		append_double(&buf, h->entries[i].value);
	}
	appendStringInfoChar(&buf, '}');
	PG_RETURN_CSTRING(buf.data);
}

/* ---- binary ------------------------------------------------------------------------------------ */

PG_FUNCTION_INFO_V1(clv_rolling_recv);
Datum
clv_rolling_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	uint16		version = pq_getmsgint(buf, sizeof(uint16));
	uint16		flags = pq_getmsgint(buf, sizeof(uint16));
	int32		keep = pq_getmsgint(buf, sizeof(int32));
	int32		n = pq_getmsgint(buf, sizeof(int32));
	InteractionHistory *h;
	const char *problem;

	if (version != INTERACTIONS_VERSION)
		invalid_binary("interaction_history", "the version is unknown");
	if (flags != 0)
		invalid_binary("interaction_history", "a flag is unknown");
	if (n < 0 || n > INTERACTIONS_MAX || n > (buf->len - buf->cursor) / ENTRY_BINARY_SIZE)
		invalid_binary("interaction_history", "the number of interactions is out of range");

	h = interactions_new(n, keep);
	h->flags = 0;
	h->n = n;
	for (int32 i = 0; i < n; i++)
	{
		h->entries[i].at = pq_getmsgint64(buf);
		h->entries[i].value = pq_getmsgfloat8(buf);
	}
	pq_getmsgend(buf);

	problem = interactions_problem(h);
	if (problem != NULL)
		invalid_binary("interaction_history", problem);
	PG_RETURN_POINTER(h);
}

PG_FUNCTION_INFO_V1(clv_rolling_send);
Datum
clv_rolling_send(PG_FUNCTION_ARGS)
{
	const InteractionHistory *h = PG_GETARG_STORED_INTERACTIONS(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint16(&buf, h->version);
	pq_sendint16(&buf, h->flags);
	pq_sendint32(&buf, h->keep);
	pq_sendint32(&buf, h->n);
	for (int32 i = 0; i < h->n; i++)
	{
		pq_sendint64(&buf, h->entries[i].at);
		pq_sendfloat8(&buf, h->entries[i].value);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
