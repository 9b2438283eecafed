/*
 * fuzz_rolling.c - text and binary input of interaction_history.
 *
 * The first byte chooses: text (a second history may follow a ';') or a binary message.
 */
#include "pg_stub.h"

#include "rolling.h"

extern Datum clv_rolling_in(PG_FUNCTION_ARGS);
extern Datum clv_rolling_out(PG_FUNCTION_ARGS);
extern Datum clv_rolling_recv(PG_FUNCTION_ARGS);
extern Datum clv_rolling_send(PG_FUNCTION_ARGS);
extern Datum clv_rolling_merge(PG_FUNCTION_ARGS);
extern Datum clv_rolling_hash(PG_FUNCTION_ARGS);

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const StubType interaction_type = {clv_rolling_in, clv_rolling_out, clv_rolling_recv, clv_rolling_send};

static bool
is_stored(Datum value)
{
	const InteractionHistory *h = (const InteractionHistory *) DatumGetPointer(value);

	return interactions_problem(h) == NULL && (h->flags & INTERACTIONS_BUILDING) == 0;
}

static void
check_value(Datum h)
{
	Datum		hash;

	STUB_CHECK(is_stored(h));
	STUB_CHECK(stub_call(clv_rolling_hash, h, &hash));
}

/* How many are left when both are merged. */
static int32
merged_count(Datum a, Datum b)
{
	const InteractionHistory *x = (const InteractionHistory *) DatumGetPointer(a);
	const InteractionHistory *y = (const InteractionHistory *) DatumGetPointer(b);
	int32		keep = Max(x->keep, y->keep);

	return keep > 0 ? Min(keep, x->n + y->n) : x->n + y->n;
}

/* Merging commutes and leaves its arguments alone; it may fail where different numbers are kept. */
static void
check_merge(Datum a, Datum b)
{
	Datum		ab;
	Datum		ba;
	Datum		copy = PointerGetDatum(interactions_trim((InteractionHistory *) DatumGetPointer(a)));
	bool		merged = stub_call2(clv_rolling_merge, a, b, &ab);

	STUB_CHECK(stub_same_bytes(a, copy));
	STUB_CHECK(stub_call2(clv_rolling_merge, b, a, &ba) == merged);
	if (merged)
	{
		STUB_CHECK(stub_same_bytes(ab, ba));
		STUB_CHECK(((const InteractionHistory *) DatumGetPointer(ab))->n == merged_count(a, b));
		check_value(ab);
		stub_check_round_trip(&interaction_type, ab);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Datum		a;
	Datum		b;

	switch (stub_read(&interaction_type, data, size, &a, &b))
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
