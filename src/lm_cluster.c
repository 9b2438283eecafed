/*
 * lm_cluster.c - linear regression with errors robust against dependence within clusters, in two forms.
 *
 * lm_cluster_fit() keeps the moments of every cluster, and needs the rows once. lm_cluster_vcov() keeps a score of
 * every cluster, which is a vector and no triangle, but needs the model first.
 */
#include "lm.h"

#include <math.h>

#include "btyd.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* ---- one pass ------------------------------------------------------------------------------------ */

/* (state, moments of a cluster) */
PG_FUNCTION_INFO_V1(clv_lm_add_cluster);
Datum
clv_lm_add_cluster(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1))
		return unchanged_state(fcinfo);
	PG_RETURN_POINTER(moments_add_cluster(fcinfo));
}

static bool
next_cluster(const void *arg, size_t *at, Moments *m)
{
	return moments_next_cluster(arg, at, m);
}

/* The final function of lm_cluster_fit(moments). */
PG_FUNCTION_INFO_V1(clv_lm_cluster_fit);
Datum
clv_lm_cluster_fit(PG_FUNCTION_ARGS)
{
	const ClvMoments *state = PG_GETARG_MOMENTS(0);
	LmClusters	clusters = {.nx = state->nx, .next = next_cluster, .arg = state};
	Frame		frame = frame_of_moments(state);
	FitResult	fit;
	RegressionRecord record;

	if (moments_form(state) != MOMENTS_CLUSTERS)
		argument_error("this needs the moments of clusters, one by one", "Call the aggregate lm_cluster_fit(moments).",
					   "These are moments of " INT64_FORMAT " rows.", state->n);
	lm_fit_clusters(&clusters, &stop_on_cancel, &fit, &record);
	return model_result(fcinfo, lm_model_of_fit(state->nx, &fit, &record, &frame,
												&(RowsRead) {.n = state->n, .n_distinct = state->n}));
}

/* ---- two passes: the state ----------------------------------------------------------------------- */

#define SCORES_VERSION 1
#define SCORES_FIRST_SLOTS 8
#define SCORES_DOUBLING_LIMIT (64 * 1024 * 1024)

/*
 * A bytea. Behind the header, in doubles: the triangle of all rows; the origin of x, which is the first row's, so that
 * scores keep their digits where x is far from 0; the model, which is the same in all rows; and a hash table of
 * clusters, open-addressing, of as many slots as fit. A slot is the number of the cluster, how many of its rows came
 * (0: the slot is empty), and the score: sums of e and of e (x - origin).
 */
typedef struct Scores
{
	int32		vl_len_;
	uint16		version;
	uint16		nx;
	int64		n;				/* rows that were of use */
	int64		n_dropped;		/* rows with a NULL */
	int64		n_clusters;
	int64		model_doubles;
	double		data[FLEXIBLE_ARRAY_MEMBER];
} Scores;

enum
{
	SLOT_CLUSTER, SLOT_ROWS, SLOT_SCORE
};

static inline double *
scores_triangle(Scores *s)
{
	return s->data;
}

static inline double *
scores_origin(Scores *s)
{
	return s->data + moments_triangle_size(s->nx);
}

static inline ClvModel *
scores_model(Scores *s)
{
	return (ClvModel *) (scores_origin(s) + s->nx);
}

static inline double *
scores_slots(Scores *s)
{
	return scores_origin(s) + s->nx + s->model_doubles;
}

static inline int
slot_doubles(const Scores *s)
{
	return SLOT_SCORE + s->nx + 1;
}

static inline Size
scores_head_size(int nx, int64 model_doubles)
{
	return offsetof(Scores, data) + (moments_triangle_size(nx) + nx + model_doubles) * sizeof(double);
}

/* From the size of the value, as everywhere. */
static inline int64
slots_there_are(const Scores *s)
{
	return (VARSIZE(s) - scores_head_size(s->nx, s->model_doubles)) / (slot_doubles(s) * sizeof(double));
}

static bool
is_model_of_size(const ClvModel *m, int nx, Size size)
{
	int			k = nx + 1;
	int			numbers = k + ((m->flags & MODEL_HAS_COVARIANCE) ? k * k : 0) + MODEL_RECORD_NUMBERS;

	return VARSIZE(m) == size && m->version == MODEL_VERSION && m->code == lm_model.code && m->nparams == k &&
		size == offsetof(ClvModel, values) + numbers * sizeof(double);
}

/* A bytea can be anybody's: nothing is read beyond its end. */
static void
check_scores(Scores *s)
{
	const char *problem = NULL;

	if (VARSIZE(s) < offsetof(Scores, data))
		problem = "it is too short";
	else if (s->version != SCORES_VERSION || s->nx < 1 || s->nx > ROWS_MAX_REGRESSORS)
		problem = "its version is not known";
	else if (s->model_doubles < 0 || s->model_doubles > (int64) (MaxAllocSize / sizeof(double)) ||
			 VARSIZE(s) < scores_head_size(s->nx, s->model_doubles) ||
			 s->model_doubles * sizeof(double) < offsetof(ClvModel, values))
		problem = "it is too short for its model";
	else if (!is_model_of_size(scores_model(s), s->nx, s->model_doubles * sizeof(double)))
		problem = "its model is not of its size";
	else if (s->n < 0 || s->n_dropped < 0 || s->n_clusters < 0 || s->n_clusters >= slots_there_are(s))
		problem = "its counts are out of range";
	if (problem)
		invalid_binary("bytea, the state of lm_cluster_vcov()", problem);
}

/* The state that a Datum holds. A bytea in a row is aligned for integers, not for doubles. */
static Scores *
scores_from_datum(Datum datum)
{
	Scores	   *s = (Scores *) PG_DETOAST_DATUM(datum);

	if ((uintptr_t) s % sizeof(double) != 0)
		s = memcpy(palloc(VARSIZE(s)), s, VARSIZE(s));
	check_scores(s);
	return s;
}

/* The slot of a cluster, or the empty one where it belongs. */
static double *
find_slot(Scores *s, double cluster)
{
	int64		n = slots_there_are(s);
	int			width = slot_doubles(s);
	double	   *slots = scores_slots(s);
	uint64		hash;
	int64		i;

	cluster += 0.0;				/* -0 is 0 */
	memcpy(&hash, &cluster, sizeof(hash));
	hash *= UINT64CONST(0x9E3779B97F4A7C15);
	hash = (hash ^ (hash >> 32)) * UINT64CONST(0xD6E8FEB86659FD93);
	i = (int64) (((hash >> 32) * (uint64) n) >> 32);
	for (int64 tried = 0; tried < n; tried++)
	{
		double	   *slot = slots + i * width;

		if (slot[SLOT_ROWS] == 0 || slot[SLOT_CLUSTER] == cluster)
		{
			slot[SLOT_CLUSTER] = cluster;
			return slot;
		}
		if (++i == n)
			i = 0;
	}
	invalid_binary("bytea, the state of lm_cluster_vcov()", "it has no empty slot");
}

/* A state of the header and the parts before the slots of `from`, with so many empty slots. */
static Scores *
new_scores(const Scores *from, int64 nslots)
{
	Size		head = scores_head_size(from->nx, from->model_doubles);
	Size		size = head + nslots * slot_doubles(from) * sizeof(double);
	Scores	   *s = palloc0(size);

	memcpy(s, from, head);
	SET_VARSIZE(s, size);
	return s;
}

/* Make room for one more cluster: at most three of four slots are taken, in the largest value 15 of 16. */
static Scores *
scores_with_room(Scores *s)
{
	int64		nslots = slots_there_are(s);
	int64		most = (MaxAllocSize - scores_head_size(s->nx, s->model_doubles)) / (slot_doubles(s) * sizeof(double));
	int64		wanted = VARSIZE(s) >= SCORES_DOUBLING_LIMIT ? nslots + nslots / 4 : 2 * nslots;
	Scores	   *larger;

	if (likely(s->n_clusters < nslots - nslots / 4 - 1))
		return s;
	if (nslots >= most - most / 16)
	{
		if (s->n_clusters < nslots - nslots / 16 - 1)
			return s;
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many clusters for one call of lm_cluster_vcov()"),
				 errdetail("There are more than " INT64_FORMAT " clusters; a value is limited to 1 GB.", s->n_clusters),
				 errhint("Fit with fewer regressors, or to a part of the clusters.")));
	}
	larger = new_scores(s, Min(wanted, most));
	for (int64 i = 0; i < nslots; i++)
	{
		const double *slot = scores_slots(s) + i * slot_doubles(s);

		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		if (slot[SLOT_ROWS] != 0)
			memcpy(find_slot(larger, slot[SLOT_CLUSTER]), slot, slot_doubles(s) * sizeof(double));
	}
	return larger;
}

/* ---- two passes: rows ---------------------------------------------------------------------------- */

static void
check_model(const ClvModel *m)
{
	if (model_operations(m) != &lm_model)
		argument_error("the model must be a linear regression",
					   "Pass a model from lm_fit(); logit_fit() and cox_fit() take the cluster themselves.",
					   "It is a %s model.", model_operations(m)->title);
	if (!(m->flags & MODEL_FITTED))
		argument_error("the model must be a fit", "Pass a model from lm_fit().", "It was typed in.");
	if (isnan(m->values[0]))
		argument_error("errors within clusters need a model with an intercept",
					   "Fit with lm_fit(y, x), with a column for each group but one.",
					   "The means of the groups were absorbed.");
}

static Scores *
first_scores(const ClvModel *m)
{
	Scores		head = {.version = SCORES_VERSION, .nx = m->nparams - 1};
	Scores	   *s;
	Size		size = VARSIZE(m);

	check_model(m);
	head.model_doubles = (size + sizeof(double) - 1) / sizeof(double);
	size = scores_head_size(head.nx, head.model_doubles) + SCORES_FIRST_SLOTS * slot_doubles(&head) * sizeof(double);
	s = palloc0(size);
	memcpy(s, &head, offsetof(Scores, data));
	SET_VARSIZE(s, size);
	memcpy(scores_model(s), m, VARSIZE(m));
	return s;
}

static void
check_same_model(Scores *s, const ClvModel *m)
{
	if (VARSIZE(m) != VARSIZE(scores_model(s)) || memcmp(m, scores_model(s), VARSIZE(m)) != 0)
		argument_error("the model must be the same in all rows", "Call lm_cluster_vcov() for one model, or GROUP BY it.",
					   "There are two different models.");
}

/* y less what the model expects at x. */
static double
residual_of_row(const ClvModel *m, const double *x, double y)
{
	double		residual = y - m->values[0];

	for (int j = 1; j < m->nparams; j++)
		if (!isnan(m->values[j]))
			residual -= m->values[j] * x[j - 1];
	return residual;
}

/* (state, model, y, x, cluster) */
static Datum
add_score(FunctionCallInfo fcinfo, NumberOf response, NumberOf cluster)
{
	ClvModel   *m;
	Scores	   *s;
	double		row[2 + ROWS_MAX_REGRESSORS] = {1};	/* weight, x, y */
	double	   *x = row + 1;
	int			nx = -1;
	double		residual;
	double	   *slot;

	if (PG_ARGISNULL(1))
		return unchanged_state(fcinfo);
	m = PG_GETARG_MODEL(1);
	s = PG_ARGISNULL(0) ? first_scores(m) : editable_state(fcinfo, scores_from_datum(PG_GETARG_DATUM(0)));
	check_same_model(s, m);
	if (!null_argument(fcinfo))
		nx = regressors_of_array(PG_GETARG_DATUM(3), x);
	if (nx < 0)
	{
		s->n_dropped++;
		PG_RETURN_POINTER(s);
	}
	check_regressors(m, nx);
	row[1 + nx] = response(PG_GETARG_DATUM(2));
	for (int i = 1; i <= nx + 1; i++)
		if (!lm_in_range(row[i]))
			range_error("numbers must be 0 or have magnitudes from 1e-100 to 1e100", "Give the columns other units.",
						"A number of the row is %g.", row[i]);
	s = scores_with_room(s);
	if (s->n == 0)
		memcpy(scores_origin(s), x, nx * sizeof(double));
	triangle_add(scores_triangle(s), nx, row);
	residual = residual_of_row(m, x, row[1 + nx]);
	slot = find_slot(s, cluster(PG_GETARG_DATUM(4)));
	s->n_clusters += slot[SLOT_ROWS] == 0;
	s->n++;
	slot[SLOT_ROWS] += 1;
	slot[SLOT_SCORE] += residual;
	for (int j = 0; j < nx; j++)
		slot[SLOT_SCORE + 1 + j] += residual * (x[j] - scores_origin(s)[j]);
	PG_RETURN_POINTER(s);
}

#define DEFINE_ADD_SCORE(NAME, Y, CLUSTER) \
	PG_FUNCTION_INFO_V1(clv_lm_add_score_##NAME); \
	Datum clv_lm_add_score_##NAME(PG_FUNCTION_ARGS) \
	{ \
		return add_score(fcinfo, Y, CLUSTER); \
	}

DEFINE_ADD_SCORE(of_bigint, number_of_float8, cluster_of_bigint)
DEFINE_ADD_SCORE(of_text, number_of_float8, cluster_of_text)
DEFINE_ADD_SCORE(boolean_of_bigint, number_of_boolean, cluster_of_bigint)
DEFINE_ADD_SCORE(boolean_of_text, number_of_boolean, cluster_of_text)

/* Merge argument 1 into argument 0. */
PG_FUNCTION_INFO_V1(clv_lm_combine_scores);
Datum
clv_lm_combine_scores(PG_FUNCTION_ARGS)
{
	Scores	   *s;
	Scores	   *other;

	if (PG_ARGISNULL(1))
		return unchanged_state(fcinfo);
	other = scores_from_datum(PG_GETARG_DATUM(1));
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(memcpy(palloc(VARSIZE(other)), other, VARSIZE(other)));
	s = editable_state(fcinfo, scores_from_datum(PG_GETARG_DATUM(0)));
	check_same_model(s, scores_model(other));
	if (s->n == 0)
		memcpy(scores_origin(s), scores_origin(other), s->nx * sizeof(double));
	for (int64 i = 0; i < slots_there_are(other); i++)
	{
		const double *from = scores_slots(other) + i * slot_doubles(other);
		double	   *slot;

		if (i % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		if (from[SLOT_ROWS] == 0)
			continue;
		s = scores_with_room(s);
		slot = find_slot(s, from[SLOT_CLUSTER]);
		s->n_clusters += slot[SLOT_ROWS] == 0;
		slot[SLOT_ROWS] += from[SLOT_ROWS];
		slot[SLOT_SCORE] += from[SLOT_SCORE];
		/* seen from another origin */
		for (int j = 0; j < s->nx; j++)
			slot[SLOT_SCORE + 1 + j] += from[SLOT_SCORE + 1 + j] +
				(scores_origin(other)[j] - scores_origin(s)[j]) * from[SLOT_SCORE];
	}
	triangle_merge(scores_triangle(s), &(Moments) {.nx = s->nx, .n = other->n, .triangle = scores_triangle(other)});
	s->n += other->n;
	s->n_dropped += other->n_dropped;
	PG_RETURN_POINTER(s);
}

/* ---- two passes: the model ----------------------------------------------------------------------- */

/* The sum over clusters, seen from the means of x. */
static void
sum_scores(Scores *s, const MomentsFit *ls, LmMeat *meat)
{
	for (int64 i = 0; i < slots_there_are(s); i++)
	{
		const double *slot = scores_slots(s) + i * slot_doubles(s);
		double		score[1 + ROWS_MAX_REGRESSORS];

		if (i % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		if (slot[SLOT_ROWS] == 0)
			continue;
		score[0] = slot[SLOT_SCORE];
		for (int j = 0; j < s->nx; j++)
			score[1 + j] = slot[SLOT_SCORE + 1 + j] + (scores_origin(s)[j] - ls->center[j]) * slot[SLOT_SCORE];
		lm_meat_add(meat, ls, score);
	}
}

/* An estimate that differs by this part of its standard error is another one. */
#define ESTIMATE_TOLERANCE 1e-6

/* The scores of a fit add up to 0, and the rows give the model's estimates. */
static void
warn_of_other_rows(const ClvModel *m, const Scores *s, const FitResult *fit)
{
	bool		others = s->n != m->fit.n;

	for (int i = 0; i < m->nparams && !others; i++)
		others = isnan(m->values[i]) != isnan(fit->theta[i]) ||
			fabs(m->values[i] - fit->theta[i]) > ESTIMATE_TOLERANCE * sqrt(fit->covariance[i * m->nparams + i]);
	if (others)
		ereport(WARNING,
				(errmsg("the model was fitted to other rows than its errors"),
				 errdetail("It was fitted to " INT64_FORMAT " rows; here are " INT64_FORMAT ".", m->fit.n, s->n),
				 errhint("Pass the rows that lm_fit() was given.")));
}

/* m with other errors: those of the fit. */
static ClvModel *
with_errors(const ClvModel *m, const FitResult *fit, const RegressionRecord *errors)
{
	int			k = m->nparams;
	RegressionRecord record = model_record(m);
	ClvModel   *result = new_model(&lm_model, k - 1, &m->frame, fit->has_covariance);

	result->flags |= m->flags & ~(MODEL_HAS_COVARIANCE | MODEL_ERRORS);
	result->fit = m->fit;
	memcpy(result->values, m->values, k * sizeof(double));
	if (fit->has_covariance)
		memcpy(result->values + k, fit->covariance, k * k * sizeof(double));
	record.errors = errors->errors;
	record.df = errors->df;
	record.clusters = errors->clusters;
	record.statistic = errors->statistic;
	set_model_record(result, &record);
	canonicalize_model(result);
	return result;
}

/* The final function of lm_cluster_vcov(). */
PG_FUNCTION_INFO_V1(clv_lm_cluster_vcov);
Datum
clv_lm_cluster_vcov(PG_FUNCTION_ARGS)
{
	Scores	   *s = scores_from_datum(PG_GETARG_DATUM(0));
	const ClvModel *m = scores_model(s);
	Moments		moments = {.nx = s->nx, .n = s->n, .triangle = scores_triangle(s)};
	LmMeat		meat = {{0}};
	MomentsFit	ls;
	FitResult	fit;
	RegressionRecord record;
	ClvModel   *result;
	const char *problem = model_problem(m);

	if (problem || !triangle_is_finite(scores_triangle(s), s->nx))
		invalid_binary("bytea, the state of lm_cluster_vcov()", problem ? problem : "its numbers are not finite");
	if (s->n == 0)
		PG_RETURN_NULL();
	moments_solve(&moments, &ls);
	sum_scores(s, &ls, &meat);
	lm_fit_meat(&ls, &meat, s->n_clusters, &fit, &record);
	result = lm_model_of_fit(s->nx, &fit, &record, &m->frame, &(RowsRead) {.n = s->n, .n_distinct = s->n});
	if (result == NULL)
		PG_RETURN_NULL();
	warn_of_other_rows(m, s, &fit);
	PG_RETURN_POINTER(with_errors(m, &fit, &record));
}
