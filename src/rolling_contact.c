/*
 * rolling_contact.c - the window function first_contact_resolved().
 *
 * What became of a contact is decided by the customer's next one. That is searched for once, unless the contact's
 * window is still open: rows behind the current one are read until the next contact is found, and it stays the next one until
 * the window has come to it. So a partition is read twice at most, and rows before the current one are let go.
 */
#include "rolling.h"

#include "miscadmin.h"
#include "windowapi.h"

enum
{
	ARG_AT, ARG_DATA_UNTIL, ARG_CUSTOMER_INITIATED, ARG_REPEAT_WITHIN
};

/* What is kept of a partition. */
typedef struct Contacts
{
	int64		nread;			/* so many rows have been read, in their order */
	bool		timed;			/* one of them has a time; the latest is `last` */
	TimestampTz last;
	int64		next_position;	/* of the next contact, where it lies behind the current row; NOWHERE: there is none */
	TimestampTz next;			/* its time */
	MemoryContext row_context;	/* for what arguments allocate during a search */
} Contacts;

#define NOWHERE PG_INT64_MAX

/* The time of the next row read: an error where it is before that of an earlier one. */
static void
check_order(Contacts *contacts, TimestampTz at)
{
	if (contacts->timed && at < contacts->last)
		argument_error("contacts must be in order of time", "Write OVER (PARTITION BY customer_id ORDER BY at).",
					   "%s comes behind %s.", pstrdup(timestamptz_to_str(at)),
					   pstrdup(timestamptz_to_str(contacts->last)));
	contacts->timed = true;
	contacts->last = at;
}

/* Read the row behind those read: whether it is a contact that the customer began, and then when. */
static bool
read_contact(WindowObject window, Contacts *contacts, TimestampTz *at, bool *out)
{
	int64		position = contacts->nread++;
	bool		isnull;
	Datum		value = WinGetFuncArgInPartition(window, ARG_AT, position, WINDOW_SEEK_HEAD, false, &isnull, out);

	if (*out || isnull)
		return false;
	*at = checked_time(DatumGetTimestampTz(value), "at");
	check_order(contacts, *at);
	value = WinGetFuncArgInPartition(window, ARG_CUSTOMER_INITIATED, position, WINDOW_SEEK_HEAD, false, &isnull, out);
	return !isnull && DatumGetBool(value);
}

/* Find the contact that follows the row at a position, unless it is known from an earlier one. */
static void
find_next(WindowObject window, Contacts *contacts, int64 position)
{
	MemoryContext caller;
	bool		found = false;
	bool		out = false;

	if (contacts->next_position > position)
		return;
	if (contacts->row_context == NULL)
		contacts->row_context = AllocSetContextCreate(GetMemoryChunkContext(contacts), "clv first_contact_resolved row",
													  ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(contacts->row_context);
	while (!found && !out)
	{
		CHECK_FOR_INTERRUPTS();
		found = read_contact(window, contacts, &contacts->next, &out);
		MemoryContextReset(contacts->row_context);
	}
	MemoryContextSwitchTo(caller);
	contacts->next_position = found ? contacts->nread - 1 : NOWHERE;
}

/*
 * first_contact_resolved(at, data_until, customer_initiated, repeat_within). It is declared STRICT, as a NULL argument
 * gives NULL; window functions are called for such rows nevertheless, and must be: their times are checked for order.
 */
PG_FUNCTION_INFO_V1(clv_rolling_first_contact_resolved);
Datum
clv_rolling_first_contact_resolved(PG_FUNCTION_ARGS)
{
	WindowObject window = PG_WINDOW_OBJECT();
	Contacts   *contacts = WinGetPartitionLocalMemory(window, sizeof(Contacts));
	int64		position = WinGetCurrentPosition(window);
	bool		nulls[4];
	Datum		args[4];
	TimestampTz at;
	TimestampTz data_until;
	int64		within;
	bool		unread;

	for (int i = 0; i < lengthof(args); i++)
		args[i] = WinGetFuncArgCurrent(window, i, &nulls[i]);
	WinSetMarkPosition(window, position);
	unread = contacts->nread <= position;
	if (unread)
		contacts->nread = position + 1;
	if (nulls[ARG_AT])
		PG_RETURN_NULL();
	at = checked_time(DatumGetTimestampTz(args[ARG_AT]), "at");
	if (unread)
		check_order(contacts, at);
	if (nulls[ARG_DATA_UNTIL] || nulls[ARG_REPEAT_WITHIN])
		PG_RETURN_NULL();
	data_until = checked_time(DatumGetTimestampTz(args[ARG_DATA_UNTIL]), "data_until");
	within = contact_window(DatumGetIntervalP(args[ARG_REPEAT_WITHIN]));
	if (nulls[ARG_CUSTOMER_INITIATED] || !DatumGetBool(args[ARG_CUSTOMER_INITIATED]) || at > data_until)
		PG_RETURN_NULL();
	if (contact_open(at, within, data_until))
		PG_RETURN_NULL();
	find_next(window, contacts, position);
	PG_RETURN_BOOL(contact_outcome(at, contacts->next_position != NOWHERE, contacts->next, within, data_until) ==
				   CONTACT_RESOLVED);
}
