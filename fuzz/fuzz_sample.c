/*
 * fuzz_sample.c - text and binary input of clv_sample, and merging what was accepted.
 *
 * The first byte chooses: text (a second sample may follow a ';') or a binary message.
 */
#include "pg_stub.h"

#include "sample.h"

extern Datum clv_sample_in(PG_FUNCTION_ARGS);
extern Datum clv_sample_out(PG_FUNCTION_ARGS);
extern Datum clv_sample_recv(PG_FUNCTION_ARGS);
extern Datum clv_sample_send(PG_FUNCTION_ARGS);
extern Datum clv_sample_combine(PG_FUNCTION_ARGS);
extern Datum clv_sample_final(PG_FUNCTION_ARGS);

static const StubType sample_type = {clv_sample_in, clv_sample_out, clv_sample_recv, clv_sample_send};

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every row is one that the aggregates would take. */
static void
check_rows(Datum sample)
{
	const ClvSample *s = (const ClvSample *) DatumGetPointer(sample);
	Rows		rows = sample_rows(s);
	const char *hint;

	STUB_CHECK(s->form == SAMPLE_STORED);
	STUB_CHECK(rows_total(&rows) == (double) s->n);
	STUB_CHECK(rows.ncols == row_columns(s->kind) && rows.ncols + rows.ncovariates == s->columns);
	for (size_t i = 0; i < rows.n; i++)
		STUB_CHECK(row_problem(s->kind, rows_at(&rows, i), &hint) == NULL);
}

/* What a fit reads of a holdout is a sample as well. */
static void
check_projections(Datum sample)
{
	const ClvSample *s = (const ClvSample *) DatumGetPointer(sample);
	static const RowKind kinds[] = {ROWS_TIMING, ROWS_SPEND};

	if (s->kind != ROWS_HOLDOUT)
		return;
	for (int i = 0; i < lengthof(kinds); i++)
	{
		Datum		projection = PointerGetDatum(sample_project(s, kinds[i]));

		check_rows(projection);
		stub_check_round_trip(&sample_type, projection);
	}
}

/* Merging commutes, counts, and leaves its arguments alone; it may fail for different frames. */
static void
check_merge(Datum a, Datum b)
{
	Datum		ab;
	Datum		ba;
	Datum		copy;
	bool		merged = stub_call2(clv_sample_combine, a, b, &ab);

	STUB_CHECK(stub_call(clv_sample_final, a, &copy) && stub_same_bytes(a, copy));
	STUB_CHECK(stub_call2(clv_sample_combine, b, a, &ba) == merged);
	if (!merged)
		return;
	STUB_CHECK(stub_call(clv_sample_final, ab, &ab) && stub_call(clv_sample_final, ba, &ba));
	STUB_CHECK(stub_same_bytes(ab, ba));
	STUB_CHECK(((ClvSample *) DatumGetPointer(ab))->n ==
			   ((ClvSample *) DatumGetPointer(a))->n + ((ClvSample *) DatumGetPointer(b))->n);
	check_rows(ab);
	stub_check_round_trip(&sample_type, ab);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Datum		a;
	Datum		b;

	switch (stub_read(&sample_type, data, size, &a, &b))
	{
		case 2:
			check_rows(b);
			check_merge(a, b);
			/* fallthrough */
		case 1:
			check_rows(a);
			check_projections(a);
			check_merge(a, a);
	}
	stub_free_all();
	return 0;
}
