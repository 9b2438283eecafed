/*
 * fuzz_history.c - text and binary input of purchase_history.
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

static const StubType history_type = {clv_history_in, clv_history_out, clv_history_recv, clv_history_send};

static bool
is_stored(Datum value)
{
	const PurchaseHistory *h = (const PurchaseHistory *) DatumGetPointer(value);

	return history_problem(h) == NULL && (h->flags & HISTORY_BUILDING) == 0;
}

static void
check_value(Datum h)
{
	Datum		hash;

	STUB_CHECK(is_stored(h));
	STUB_CHECK(stub_call(clv_history_hash, h, &hash));
}

/* Merging commutes and leaves its arguments alone; it may fail for different kinds and for overflow. */
static void
check_merge(Datum a, Datum b)
{
	Datum		ab;
	Datum		ba;
	Datum		copy = PointerGetDatum(history_trim((PurchaseHistory *) DatumGetPointer(a)));
	bool		merged = stub_call2(clv_history_merge, a, b, &ab);

	STUB_CHECK(stub_same_bytes(a, copy));
	STUB_CHECK(stub_call2(clv_history_merge, b, a, &ba) == merged);
	if (merged)
	{
		STUB_CHECK(stub_same_bytes(ab, ba));
		check_value(ab);
		stub_check_round_trip(&history_type, ab);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Datum		a;
	Datum		b;

	switch (stub_read(&history_type, data, size, &a, &b))
	{
		case 2:
			check_value(b);
			check_merge(a, b);
			/* fallthrough */
		case 1:
			check_value(a);
			check_merge(a, a);
	}
	stub_free_all();
	return 0;
}
