/*
 * btyd_simulate.c - customers drawn from a model, with their purchases day by day.
 *
 * A customer's draws depend on the seed and the customer's number alone: more customers do not change the first ones,
 * and amounts do not change the purchases.
 */
#include "btyd.h"

#include <math.h>

#include "funcapi.h"
#include "miscadmin.h"

/* Purchases on a day; a customer has at most one such entry a day. */
typedef struct DayCount
{
	int32		day;
	int32		purchases;
} DayCount;

typedef struct Simulation
{
	double		unit;			/* days of one unit of the model's time */
	int32		days;
	DayCount   *list;			/* room for days + 1 */
	int32		n;
	int64		purchases;		/* of this customer */
} Simulation;

/* Looked for once in so many purchases. */
#define PURCHASES_BETWEEN_POLLS 1024

static bool
emit_purchase(double at, void *arg)
{
	Simulation *s = arg;
	int32		day = (int32) fmin(ceil(at * s->unit), s->days);

	if (++s->purchases % PURCHASES_BETWEEN_POLLS == 0 && stop_on_cancel.requested(stop_on_cancel.arg))
		return false;
	/* times come in order, and day 0 has the first purchase */
	if (s->list[s->n - 1].day == day)
	{
		if (s->list[s->n - 1].purchases == PG_INT32_MAX)
			return false;
		s->list[s->n - 1].purchases++;
	}
	else
		s->list[s->n++] = (DayCount) {day, 1};
	return true;
}

/* The finaliser of splitmix64, so that neighbouring customers have unrelated seeds. */
static uint64
mix(uint64 h)
{
	h = (h ^ (h >> 30)) * UINT64CONST(0xBF58476D1CE4E5B9);
	h = (h ^ (h >> 27)) * UINT64CONST(0x94D049BB133111EB);
	return h ^ (h >> 31);
}

typedef enum Stream
{
	STREAM_PURCHASES,
	STREAM_AMOUNTS
} Stream;

static Random
customer_random(int64 seed, int32 customer, Stream stream)
{
	Random		random;

	random_seed(&random, mix(mix((uint64) seed + UINT64CONST(0x9E3779B97F4A7C15)) +
							 2 * (uint64) customer + (uint64) stream));
	return random;
}

/* One row for each day with a purchase. */
static void
put_customer(ReturnSetInfo *rsinfo, const Simulation *s, int32 customer, const ClvModel *gg, int64 seed)
{
	const ModelKind *spend = gg ? spend_operations(gg) : NULL;
	Random		random = customer_random(seed, customer, STREAM_AMOUNTS);
	double		character = gg ? spend->draw_customer(gg->values, &random) : 0;

	for (int32 i = 0; i < s->n; i++)
	{
		Datum		values[3] = {Int32GetDatum(customer), Int32GetDatum(s->list[i].day)};
		bool		nulls[3] = {false, false, gg == NULL};
		double		amount = 0;

		for (int32 j = 0; gg && j < s->list[i].purchases; j++)
		{
			if (j % PURCHASES_BETWEEN_POLLS == 0)
				CHECK_FOR_INTERRUPTS();
			amount += spend->draw_amount(gg->values, character, &random);
		}
		if (gg && !isfinite(amount))
			range_error("an amount is out of range", "Check the parameters of the spend model.",
						"Customer %d spent more than a double can hold on day %d.", customer, s->list[i].day);
		values[2] = Float8GetDatum(amount);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

static const ModelKind *
simulated_operations(const ClvModel *m)
{
	return model_operations(m)->reads == ROWS_RENEWALS ? renewal_operations(m) : purchase_operations(m);
}

static int32
checked_count(int32 value, int32 most, const char *name, const char *hint)
{
	if (value < 0 || value > most)
		argument_error(psprintf("%s must be between 0 and %d", name, most), hint, "%s is %d.", name, value);
	return value;
}

/* (model, customers, days, seed, spend_model); not strict: no spend model, no amounts */
PG_FUNCTION_INFO_V1(clv_simulate_purchases);
Datum
clv_simulate_purchases(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = result_set(fcinfo);
	ClvModel   *m;
	ClvModel   *gg;
	const ModelKind *kind;
	Simulation	s = {0};
	int32		customers;
	int64		seed;
	double		t;

	for (int i = 0; i < 4; i++)
		if (PG_ARGISNULL(i))
			return (Datum) 0;
	m = PG_GETARG_MODEL(0);
	kind = simulated_operations(m);
	customers = checked_count(PG_GETARG_INT32(1), PG_INT32_MAX, "customers", "It is how many to draw.");
	s.days = checked_count(PG_GETARG_INT32(2), DAY_MAX - DAY_MIN, "days", "Day 0 is the day of the first purchase.");
	seed = PG_GETARG_INT64(3);
	gg = PG_ARGISNULL(4) ? NULL : PG_GETARG_MODEL(4);
	if (gg)
		spend_operations(gg);

	s.unit = m->frame.unit_days != 0 ? m->frame.unit_days : 1;
	s.list = palloc((s.days + 1) * sizeof(DayCount));
	t = s.days / s.unit;
	if (kind->reads != ROWS_TIMING)
		t = floor(t);
	for (int32 customer = 1; customer <= customers; customer++)
	{
		Random		random = customer_random(seed, customer, STREAM_PURCHASES);

		s.list[0] = (DayCount) {0, 1};
		s.n = 1;
		s.purchases = 0;
		kind->simulate(m->values, t, &random, emit_purchase, &s);
		CHECK_FOR_INTERRUPTS();
		if (stop_on_cancel.requested(stop_on_cancel.arg))
			stop_call("the simulation of purchases");
		if (s.list[s.n - 1].purchases == PG_INT32_MAX)
			range_error("a customer buys without end", "Check the parameters of the model, and its unit.",
						"Customer %d has more than %d purchases on day %d.", customer, PG_INT32_MAX - 1,
						s.list[s.n - 1].day);
		put_customer(rsinfo, &s, customer, gg, seed);
		if (customer == PG_INT32_MAX)
			break;
	}
	return (Datum) 0;
}
