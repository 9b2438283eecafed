/*
 * fuzz_model.c - text and binary input of clv_model, its JSON, and predictions with what was accepted.
 *
 * The first byte chooses: text (a second model may follow a ';') or a binary message.
 */
#include "pg_stub.h"

#include <math.h>

#include "model.h"

extern Datum clv_model_in(PG_FUNCTION_ARGS);
extern Datum clv_model_out(PG_FUNCTION_ARGS);
extern Datum clv_model_recv(PG_FUNCTION_ARGS);
extern Datum clv_model_send(PG_FUNCTION_ARGS);
extern Datum clv_expected_purchases_new(PG_FUNCTION_ARGS);

static const StubType model_type = {clv_model_in, clv_model_out, clv_model_recv, clv_model_send};

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A number or an ERROR, for any parameters that a model may have. */
static void
check_model(Datum model)
{
	Datum		purchases;

	STUB_CHECK(model_problem((ClvModel *) DatumGetPointer(model)) == NULL);
	if (stub_call2(clv_expected_purchases_new, model, Float8GetDatum(52), &purchases))
		STUB_CHECK(isfinite(DatumGetFloat8(purchases)) && DatumGetFloat8(purchases) >= 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Datum		a;
	Datum		b;

	if (stub_read(&model_type, data, size, &a, &b) > 0)
		check_model(a);
	stub_free_all();
	return 0;
}
