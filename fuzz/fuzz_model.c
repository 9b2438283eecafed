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
extern Datum clv_survival(PG_FUNCTION_ARGS);
extern Datum clv_expected_lifetime(PG_FUNCTION_ARGS);

static const StubType model_type = {clv_model_in, clv_model_out, clv_model_recv, clv_model_send};

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A number or an ERROR, for any parameters that a model may have. */
static void
check_model(Datum model)
{
	Datum		value;

	STUB_CHECK(model_problem((ClvModel *) DatumGetPointer(model)) == NULL);
	if (stub_call2(clv_expected_purchases_new, model, Float8GetDatum(52), &value))
		STUB_CHECK(isfinite(DatumGetFloat8(value)) && DatumGetFloat8(value) >= 0);
	if (stub_call2(clv_survival, model, Float8GetDatum(5), &value))
		STUB_CHECK(DatumGetFloat8(value) >= 0 && DatumGetFloat8(value) <= 1);
	if (stub_call2(clv_expected_lifetime, model, Float8GetDatum(0.1), &value))
		STUB_CHECK(isfinite(DatumGetFloat8(value)) && DatumGetFloat8(value) >= 1);
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
