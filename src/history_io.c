/*
 * history_io.c - text and binary form of purchase_history.
 *
 * Text: {2024-01-01:12.5,2024-01-08:20}, a cancelled day {2024-01-01:cancelled}, without money
 * {2024-01-01,2024-01-08}, empty {}. Input takes the stored form only: days in ascending order.
 * Binary: version, flags (uint16 each), number of days (int32), then day, cancelled (int32 each) and
 * amount in micro-units (int64) of each.
 */
#include "history.h"

#include "libpq/pqformat.h"

#define CANCELLED "cancelled"

/* What a day takes at least in the text, "2024-01-01,", and exactly in the binary form. */
#define DAY_TEXT_MIN 11
#define DAY_BINARY_SIZE 16

typedef struct Parser
{
	const char *text;
	const char *cursor;
	struct Node *escontext;		/* where soft errors go, or NULL */
	PurchaseHistory *h;
} Parser;

/* ---- text input -------------------------------------------------------------------------------- */

static bool
syntax_error(Parser *p, const char *expected)
{
	REJECT(p,
		   (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			errmsg("invalid input syntax for type %s", "purchase_history"),
			errdetail("Expected %s at character %d.", expected, (int) (p->cursor - p->text) + 1),
			errhint("A history looks like {2024-01-01:12.5,2024-01-08:20}.")));
}

static bool
order_error(Parser *p, DateADT day)
{
	REJECT(p,
		   (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			errmsg("invalid input for type %s: days must be in ascending order", "purchase_history"),
			errdetail("%s does not come after the day before it.", day_text(day)),
			errhint("Build histories from unsorted rows with the aggregate purchase_history(date, amount).")));
}

/* An amount with at most six decimals, exactly. */
static bool
parse_amount(Parser *p, int64 *amount)
{
	bool		negative = scan_literal(&p->cursor, "-");
	int			decimals = -1;	/* -1 before the decimal point */
	uint64		micro = 0;

	if (*p->cursor < '0' || *p->cursor > '9')
		return syntax_error(p, "an amount");
	for (;; p->cursor++)
	{
		char		c = *p->cursor;

		if (c == '.' && decimals < 0 && p->cursor[1] >= '0' && p->cursor[1] <= '9')
			decimals = 0;
		else if (c < '0' || c > '9')
			break;
		else if (decimals == MICRO_DIGITS)
			return syntax_error(p, "at most six decimals");
		else if (micro > ((uint64) MICRO_MAX - (c - '0')) / 10)
			goto too_large;
		else
		{
			micro = micro * 10 + (c - '0');
			decimals += decimals >= 0;
		}
	}
	for (decimals = Max(decimals, 0); decimals < MICRO_DIGITS; decimals++)
	{
		if (micro > (uint64) MICRO_MAX / 10)
			goto too_large;
		micro *= 10;
	}
	*amount = negative ? -(int64) micro : (int64) micro;
	return true;

too_large:
	REJECT(p,
		   (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			errmsg("amount out of range for type %s", "purchase_history"),
			errdetail("The amount that ends at character %d exceeds 9223372036854.775807.",
					  (int) (p->cursor - p->text) + 1),
			errhint("Use a larger currency unit, such as thousands.")));
}

/* One day, and the kind of the whole history if it is the first. */
static bool
parse_day(Parser *p)
{
	PurchaseHistory *h = p->h;
	HistoryDay	entry = {0};
	bool		money;

	if (!scan_day(&p->cursor, &entry.day))
		return syntax_error(p, "a date as YYYY-MM-DD");
	money = scan_mark(&p->cursor, ":");
	if (h->ndays == 0)
		h->flags = money ? 0 : HISTORY_NO_MONEY;
	else if (money != history_has_money(h))
		return syntax_error(p, money ? "no amount, as for the first day" : "an amount, as for the first day");

	if (money)
	{
		if (scan_literal(&p->cursor, CANCELLED))
			entry.cancelled = 1;
		else if (!parse_amount(p, &entry.amount))
			return false;
	}
	if (h->ndays > 0 && entry.day <= h->days[h->ndays - 1].day)
		return order_error(p, entry.day);
	h->days[h->ndays++] = entry;
	return true;
}

static bool
parse_history(Parser *p)
{
	if (!scan_mark(&p->cursor, "{"))
		return syntax_error(p, "\"{\"");
	if (!scan_mark(&p->cursor, "}"))
	{
		do
		{
			if (!parse_day(p))
				return false;
		} while (scan_mark(&p->cursor, ","));
		if (!scan_mark(&p->cursor, "}"))
			return syntax_error(p, "\",\" or \"}\"");
	}
	if (*p->cursor != '\0')
		return syntax_error(p, "the end");
	return true;
}

PG_FUNCTION_INFO_V1(clv_history_in);
Datum
clv_history_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	Size		most_days = Min(strlen(text) / DAY_TEXT_MIN + 1, HISTORY_MAX_DAYS);
	Parser		p = {.text = text, .cursor = text, .escontext = fcinfo->context};

	p.h = history_new((int32) most_days, 0);
	p.h->flags = 0;
	if (!parse_history(&p))
		PG_RETURN_NULL();

	SET_VARSIZE(p.h, HISTORY_SIZE(p.h->ndays));
	AssertHistory(p.h);
	PG_RETURN_HISTORY(p.h);
}

/* ---- text output ------------------------------------------------------------------------------- */

/* The shortest exact decimal of an amount. */
static void
append_amount(StringInfo buf, int64 micro)
{
	int64		magnitude = micro < 0 ? -micro : micro;
	int64		fraction = magnitude % MICRO_PER_UNIT;

	appendStringInfo(buf, "%s" INT64_FORMAT, micro < 0 ? "-" : "", magnitude / MICRO_PER_UNIT);
	if (fraction == 0)
		return;
	appendStringInfo(buf, ".%0*d", MICRO_DIGITS, (int) fraction);
	while (buf->data[buf->len - 1] == '0')
		buf->data[--buf->len] = '\0';
}

PG_FUNCTION_INFO_V1(clv_history_out);
Datum
clv_history_out(PG_FUNCTION_ARGS)
{
	const PurchaseHistory *h = PG_GETARG_HISTORY(0);
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoChar(&buf, '{');
	for (int32 i = 0; i < h->ndays; i++)
	{
		const HistoryDay *entry = &h->days[i];

		if (i > 0)
			appendStringInfoChar(&buf, ',');
		append_day(&buf, entry->day);
		if (!history_has_money(h))
			continue;
		appendStringInfoChar(&buf, ':');
		if (entry->cancelled)
			appendStringInfoString(&buf, CANCELLED);
		else
			append_amount(&buf, entry->amount);
	}
	appendStringInfoChar(&buf, '}');
	PG_RETURN_CSTRING(buf.data);
}

/* ---- binary ------------------------------------------------------------------------------------ */

PG_FUNCTION_INFO_V1(clv_history_recv);
Datum
clv_history_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	uint16		version = pq_getmsgint(buf, sizeof(uint16));
	uint16		flags = pq_getmsgint(buf, sizeof(uint16));
	int32		ndays = pq_getmsgint(buf, sizeof(int32));
	PurchaseHistory *h;
	const char *problem;

	if (version != HISTORY_VERSION)
		invalid_binary("purchase_history", "the version is unknown");
	if ((flags & ~HISTORY_NO_MONEY) != 0)
		invalid_binary("purchase_history", "a flag is unknown");
	if (ndays < 0 || ndays > HISTORY_MAX_DAYS || ndays > (buf->len - buf->cursor) / DAY_BINARY_SIZE)
		invalid_binary("purchase_history", "the number of days is out of range");

	h = history_new(ndays, 0);
	h->flags = flags;
	h->ndays = ndays;
	for (int32 i = 0; i < ndays; i++)
	{
		h->days[i].day = (DateADT) pq_getmsgint(buf, sizeof(int32));
		h->days[i].cancelled = (int32) pq_getmsgint(buf, sizeof(int32));
		h->days[i].amount = pq_getmsgint64(buf);
	}
	pq_getmsgend(buf);

	problem = history_problem(h);
	if (problem != NULL)
		invalid_binary("purchase_history", problem);
	PG_RETURN_HISTORY(h);
}

PG_FUNCTION_INFO_V1(clv_history_send);
Datum
clv_history_send(PG_FUNCTION_ARGS)
{
	const PurchaseHistory *h = PG_GETARG_STORED_HISTORY(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint16(&buf, h->version);
	pq_sendint16(&buf, h->flags);
	pq_sendint32(&buf, h->ndays);
	for (int32 i = 0; i < h->ndays; i++)
	{
		pq_sendint32(&buf, h->days[i].day);
		pq_sendint32(&buf, h->days[i].cancelled);
		pq_sendint64(&buf, h->days[i].amount);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}
