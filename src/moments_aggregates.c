/*
 * moments_aggregates.c - the aggregates that make a clv_moments.
 */
#include "moments.h"

#include <math.h>

#include "regression.h"

/* ---- states -------------------------------------------------------------------------------------- */

/* The state of argument 0, ready to be edited. Anybody may call a transition function, with any moments for a state. */
static ClvMoments *
state_of_form(FunctionCallInfo fcinfo, MomentsForm least, MomentsForm most)
{
	ClvMoments *state = PG_GETARG_MOMENTS(0);

	if (moments_form(state) < least || moments_form(state) > most)
		argument_error("the state is that of another aggregate",
					   "Call the aggregates clv_moments(), within_moments() and lm_cluster_fit().",
					   "It holds moments %s.", moments_sort_name(moments_form(state)));
	return editable_state(fcinfo, state);
}

/* ---- rows ---------------------------------------------------------------------------------------- */

/* y, or x[i], unless squares of it would leave the range, which is an error naming it; -0 is 0. */
static inline double
checked_number(double number, int i)
{
	double		size = fabs(number);

	if (unlikely(!(size <= MOMENTS_LARGEST && (size >= MOMENTS_SMALLEST || size == 0))))
	{
		const char *name = i > 0 ? psprintf("x[%d]", i) : "y";

		if (!isfinite(number))
			argument_error(psprintf("%s must be finite", name),
						   "Leave out or correct rows that are NaN or infinite; an unknown number is NULL.",
						   "It is %g.", number);
		range_error(psprintf("%s is out of range", name),
					"Scale the column, such as from cents to millions.",
					"It is %g; numbers that are not 0 lie between 1e-100 and 1e100.", number);
	}
	return number + 0.0;
}

/* A weight of a row, 0 where it does not count. */
static double
checked_weight(double weight)
{
	const char *hint = "A weight is how much a row counts: 2 is twice as much as 1, and 0 leaves it out.";

	if (!(weight >= 0 && isfinite(weight)))
		argument_error("weights must be finite and not negative", hint, "The weight is %g.", weight);
	if (weight > 0 && !(weight >= MOMENTS_SMALLEST_WEIGHT && weight <= MOMENTS_LARGEST_WEIGHT))
		range_error("the weight is out of range", hint, "It is %g; weights lie between 1e-50 and 1e50.", weight);
	return weight;
}

/* Arguments 1 y, 2 x, and 3 the weight, as weight, x, y; the answer is how many x there are, 0 for a row to drop. */
static int
row_of_args(FunctionCallInfo fcinfo, NumberOf response, double *row)
{
	int			nx;

	if (null_argument(fcinfo))
		return 0;
	nx = regressors_of_array(PG_GETARG_DATUM(2), row + 1);
	row[0] = PG_NARGS() > 3 ? checked_weight(PG_GETARG_FLOAT8(3)) : 1;
	if (nx < 0 || row[0] == 0)
		return 0;
	for (int i = 1; i <= nx; i++)
		row[i] = checked_number(row[i], i);
	row[nx + 1] = checked_number(response(PG_GETARG_DATUM(1)), 0);
	return nx;
}

/* (state, y, x [, weight]) */
static Datum
add_row(FunctionCallInfo fcinfo, NumberOf response)
{
	double		row[ROWS_MAX_REGRESSORS + 2];
	int			nx = row_of_args(fcinfo, response, row);
	ClvMoments *state;

	if (PG_ARGISNULL(0))
		state = moments_new(MOMENTS_ROWS, nx, nx == 0 ? 0 : moments_row_size(nx));
	else
		state = state_of_form(fcinfo, MOMENTS_ROWS, MOMENTS_TRIANGLE);
	if (nx > 0)
		PG_RETURN_POINTER(moments_append_row(state, nx, row));
	moments_add_count(&state->n_dropped, 1);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(clv_moments_add);
Datum
clv_moments_add(PG_FUNCTION_ARGS)
{
	return add_row(fcinfo, number_of_float8);
}

PG_FUNCTION_INFO_V1(clv_moments_add_boolean);
Datum
clv_moments_add_boolean(PG_FUNCTION_ARGS)
{
	return add_row(fcinfo, number_of_boolean);
}

/* ---- moments of moments -------------------------------------------------------------------------- */

/* Combine function of all aggregates and transition function of the roll-up: (state, other). */
PG_FUNCTION_INFO_V1(clv_moments_combine);
Datum
clv_moments_combine(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1))
		return unchanged_state(fcinfo);

	/* the executor copies what becomes the first state */
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(PG_GETARG_MOMENTS(1));
	PG_RETURN_POINTER(moments_merge(editable_state(fcinfo, PG_GETARG_MOMENTS(0)), PG_GETARG_MOMENTS(1)));
}

/* The state of argument 0, or a new one, to which argument 1 is added: no state of clusters. */
static ClvMoments *
state_of_groups(FunctionCallInfo fcinfo, MomentsForm form, const ClvMoments **group)
{
	*group = PG_GETARG_MOMENTS(1);
	if (moments_form(*group) == MOMENTS_CLUSTERS)
		argument_error("these moments are a state of clusters", "Pass values of clv_moments().",
					   "They hold " INT64_FORMAT " clusters one by one.", (*group)->groups);
	if (PG_ARGISNULL(0))
		return moments_new(form, 0, form == MOMENTS_CLUSTERS);
	return state_of_form(fcinfo, form, form);
}

/* within_moments(moments): (state, one group) */
PG_FUNCTION_INFO_V1(clv_moments_add_group);
Datum
clv_moments_add_group(PG_FUNCTION_ARGS)
{
	const ClvMoments *group;
	ClvMoments *state;

	if (PG_ARGISNULL(1))
		return unchanged_state(fcinfo);
	state = state_of_groups(fcinfo, MOMENTS_WITHIN, &group);
	PG_RETURN_POINTER(moments_pool(state, group));
}

ClvMoments *
moments_add_cluster(FunctionCallInfo fcinfo)
{
	const ClvMoments *cluster;
	ClvMoments *state = state_of_groups(fcinfo, MOMENTS_CLUSTERS, &cluster);

	if (moments_form(cluster) == MOMENTS_WITHIN)
		argument_error("clusters need the moments of their rows", "Pass clv_moments(y, x) GROUP BY cluster.",
					   "These are within " INT64_FORMAT " groups.", cluster->groups);
	moments_add_count(&state->n_dropped, cluster->n_dropped);
	if (cluster->n == 0)
		return state;
	return moments_append_cluster(state, (cluster->form & MOMENTS_BUILDING) ? moments_trim(cluster) : cluster);
}

/* Final function: the stored form, never the state itself. */
PG_FUNCTION_INFO_V1(clv_moments_final);
Datum
clv_moments_final(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(moments_trim(PG_GETARG_MOMENTS(0)));
}
