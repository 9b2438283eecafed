/*
 * fuzz_history.c - text and binary input of purchase_history.
 *
 * Sources:   fuzz/pg_stub.c src/common.c src/numeric_micro.c src/history.c src/history_io.c
 * Headers:   include, fuzz, $(pg_config --includedir-server)
 * Libraries: -L$(pg_config --pkglibdir) -lpgcommon -lpgport -lm
 *
 * The first byte chooses: text (a second history may follow a ';') or a binary message.
 */
#include "pg_stub.h"

#include "history.h"

extern Datum clv_history_in(PG_FUNCTION_ARGS);
extern Datum clv_history_out(PG_FUNCTION_ARGS);
extern Datum clv_history_recv(PG_FUNCTION_ARGS);
extern Datum clv_history_send(PG_FUNCTION_ARGS);
extern Datum clv_history_merge(PG_FUNCTION_ARGS);
extern Datum clv_history_hash(PG_FUNCTION_ARGS);

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
same_bytes(Datum a, Datum b)
{
	return compare_bytes((struct varlena *) DatumGetPointer(a), (struct varlena *) DatumGetPointer(b)) == 0;
}

static bool
is_stored(Datum value)
{
	const PurchaseHistory *h = (const PurchaseHistory *) DatumGetPointer(value);

	return history_problem(h) == NULL && (h->flags & HISTORY_BUILDING) == 0;
}

/* What was accepted is in stored form and survives both outputs. */
static void
check_value(Datum h)
{
	Datum		text;
	Datum		bytes;
	Datum		again;
	Datum		text_again;

	STUB_CHECK(is_stored(h));

	STUB_CHECK(stub_call(clv_history_out, h, &text));
	STUB_CHECK(stub_call(clv_history_in, text, &again));
	STUB_CHECK(same_bytes(h, again));
	STUB_CHECK(stub_call(clv_history_out, again, &text_again));
	STUB_CHECK(strcmp(DatumGetCString(text), DatumGetCString(text_again)) == 0);

	STUB_CHECK(stub_call(clv_history_send, h, &bytes));
	STUB_CHECK(stub_call(clv_history_recv,
						 PointerGetDatum(stub_message(VARDATA(DatumGetPointer(bytes)),
													  VARSIZE(DatumGetPointer(bytes)) - VARHDRSZ)), &again));
	STUB_CHECK(same_bytes(h, again));
	STUB_CHECK(stub_call(clv_history_hash, h, &again));
}

/* Merging commutes and leaves its arguments alone; it may fail for different kinds and for overflow. */
static void
check_merge(Datum a, Datum b)
{
	Datum		ab;
	Datum		ba;
	Datum		copy = PointerGetDatum(history_trim((PurchaseHistory *) DatumGetPointer(a)));
	bool		merged = stub_call2(clv_history_merge, a, b, &ab);

	STUB_CHECK(same_bytes(a, copy));
	STUB_CHECK(stub_call2(clv_history_merge, b, a, &ba) == merged);
	if (merged)
	{
		STUB_CHECK(same_bytes(ab, ba));
		check_value(ab);
	}
}

static void
fuzz_text(const char *bytes, size_t size)
{
	const char *second = memchr(bytes, ';', size);
	size_t		first_len = second != NULL ? (size_t) (second - bytes) : size;
	Datum		a;
	Datum		b;

	if (!stub_call(clv_history_in, CStringGetDatum(stub_cstring(bytes, first_len)), &a))
		return;
	check_value(a);
	check_merge(a, a);
	if (second != NULL &&
		stub_call(clv_history_in, CStringGetDatum(stub_cstring(second + 1, size - first_len - 1)), &b))
		check_merge(a, b);
}

static void
fuzz_binary(const char *bytes, size_t size)
{
	Datum		h;

	if (stub_call(clv_history_recv, PointerGetDatum(stub_message(bytes, (int) size)), &h))
	{
		check_value(h);
		check_merge(h, h);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] % 2 == 0)
		fuzz_text((const char *) data + 1, size - 1);
	else
		fuzz_binary((const char *) data + 1, size - 1);
	stub_free_all();
	return 0;
}
