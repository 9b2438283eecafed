/*
 * fuzz_moments.c - text and binary input of clv_moments, merging, and what is solved from what was accepted.
 *
 * The first byte chooses: text (a second value may follow a ';') or a binary message.
 */
#include "pg_stub.h"

#include <math.h>

#include "moments.h"

extern Datum clv_moments_in(PG_FUNCTION_ARGS);
extern Datum clv_moments_out(PG_FUNCTION_ARGS);
extern Datum clv_moments_recv(PG_FUNCTION_ARGS);
extern Datum clv_moments_send(PG_FUNCTION_ARGS);
extern Datum clv_moments_merge(PG_FUNCTION_ARGS);
extern Datum clv_moments_hash(PG_FUNCTION_ARGS);

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const StubType moments_type = {clv_moments_in, clv_moments_out, clv_moments_recv, clv_moments_send};

static const ClvMoments *
moments_of(Datum value)
{
	return (const ClvMoments *) DatumGetPointer(value);
}

/* Within groups of one value alone, as within_moments() makes it; an error ends it. */
static Datum
pool_one(PG_FUNCTION_ARGS)
{
	ClvMoments *state = moments_new(MOMENTS_WITHIN, 0, 0);

	PG_RETURN_POINTER(moments_trim(moments_pool(state, moments_of(PG_GETARG_DATUM(0)))));
}

/* Numbers that no rows have may leave the range, and are NAN then: never a correlation beyond 1. */
static void
check_solution(const Moments *view)
{
	MomentsFit	fit;
	double		score[MOMENTS_MAX_COLUMNS];

	moments_solve(view, &fit);
	STUB_CHECK(fit.rank >= 0 && fit.rank <= view->nx);
	if (!view->within)
		moments_score(view, &fit, score);
	for (int i = 0; i < 2 * view->nx; i++)
		STUB_CHECK(!(fabs(moments_correlation(view, i / 2, i % 2, 0.95).estimate) > 1));
}

static void
check_value(Datum value)
{
	const ClvMoments *m = moments_of(value);
	Moments		view;
	Datum		result;

	STUB_CHECK(moments_problem(m) == NULL);
	STUB_CHECK(stub_call(clv_moments_hash, value, &result));
	if (m->form == MOMENTS_CLUSTERS)
	{
		Size		at = 0;
		double		n = 0;

		while (moments_next_cluster(m, &at, &view))
		{
			n += view.n;
			check_solution(&view);
		}
		STUB_CHECK(n == (double) m->n);
		return;
	}
	if (m->n > 0)
	{
		view = moments_view(m);
		check_solution(&view);
	}
	if (stub_call(pool_one, value, &result))
	{
		STUB_CHECK(moments_problem(moments_of(result)) == NULL);
		STUB_CHECK(moments_of(result)->n == m->n && moments_of(result)->n_dropped == m->n_dropped);
	}
}

/* What is merged is the rows of both, and the arguments are left alone. */
static void
check_merge(Datum a, Datum b)
{
	Datum		merged;
	Datum		copy = PointerGetDatum(moments_trim(moments_of(a)));

	if (stub_call2(clv_moments_merge, a, b, &merged))
	{
		STUB_CHECK(moments_of(merged)->n == moments_of(a)->n + moments_of(b)->n);
		check_value(merged);
		stub_check_round_trip(&moments_type, merged);
	}
	STUB_CHECK(stub_same_bytes(a, copy));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Datum		a;
	Datum		b;

	switch (stub_read(&moments_type, data, size, &a, &b))
	{
		case 2:
			check_value(b);
			check_merge(a, b);
			check_merge(b, a);
			/* fallthrough */
		case 1:
			check_value(a);
			check_merge(a, a);
	}
	stub_free_all();
	return 0;
}
