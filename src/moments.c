/*
 * moments.c - type clv_moments: layout, what a value may be, building, merging, comparison.
 */
#include "moments.h"

#include <math.h>

#include "utils/memutils.h"

/* ---- layout ------------------------------------------------------------------------------------ */

#define HEADER_SIZE offsetof(ClvMoments, data)

/* Of clusters, data[0] is how many doubles are used, itself included. */
#define CLUSTERS_AT 1

/* How many doubles fit; from the size itself, since copying a value may have trimmed it. */
static inline Size
room(const ClvMoments *m)
{
	return (VARSIZE(m) - HEADER_SIZE) / sizeof(double);
}

/* How many doubles are in use. */
static Size
used(const ClvMoments *m)
{
	switch (moments_form(m))
	{
		case MOMENTS_ROWS:
			return m->n * moments_row_size(m->nx);
		case MOMENTS_CLUSTERS:
			return (Size) m->data[0];
		default:
			return m->nx == 0 ? 0 : moments_triangle_size(m->nx);
	}
}

ClvMoments *
moments_new(MomentsForm form, int nx, Size doubles)
{
	ClvMoments *m = palloc0(HEADER_SIZE + doubles * sizeof(double));

	SET_VARSIZE(m, HEADER_SIZE + doubles * sizeof(double));
	m->version = MOMENTS_VERSION;
	m->form = form | MOMENTS_BUILDING;
	m->nx = nx;
	if (form == MOMENTS_CLUSTERS)
		m->data[0] = CLUSTERS_AT;
	return m;
}

/* A copy of m as it is, in building form, with so many doubles, which are enough for it. */
static ClvMoments *
copy_with_room(const ClvMoments *m, Size doubles)
{
	ClvMoments *copy = moments_new(moments_form(m), m->nx, doubles);

	copy->n = m->n;
	copy->n_dropped = m->n_dropped;
	copy->groups = m->groups;
	memcpy(copy->data, m->data, used(m) * sizeof(double));
	return copy;
}

Moments
moments_view(const ClvMoments *m)
{
	Moments		view = {.nx = m->nx, .n = (double) m->n, .within = moments_form(m) == MOMENTS_WITHIN,
		.groups = (double) m->groups};

	Assert(m->nx > 0 && moments_form(m) != MOMENTS_CLUSTERS);
	if (moments_form(m) == MOMENTS_ROWS)
	{
		view.nrows = m->n;
		view.rows = m->data;
	}
	else
		view.triangle = m->data;
	return view;
}

bool
moments_readable(const ClvMoments *m, Moments *view)
{
	if (moments_form(m) == MOMENTS_CLUSTERS)
		argument_error("these moments are a state of clusters",
					   "Pass a value of clv_moments() or within_moments().",
					   "They hold " INT64_FORMAT " clusters one by one.", m->groups);
	if (m->n == 0)
		return false;
	*view = moments_view(m);
	return true;
}

/* ---- clusters one by one ------------------------------------------------------------------------- */

/* A cluster is its number of rows and they, or the negative of that number and their triangle. */
static inline Size
cluster_size(const double *cluster, int nx)
{
	if (*cluster < 0)
		return 1 + moments_triangle_size(nx);
	return 1 + (Size) *cluster * moments_row_size(nx);
}

bool
moments_next_cluster(const ClvMoments *state, Size *at, Moments *cluster)
{
	const double *next;

	Assert(moments_form(state) == MOMENTS_CLUSTERS);
	if (*at == 0)
		*at = CLUSTERS_AT;
	if (*at >= used(state))
		return false;
	next = state->data + *at;
	*cluster = (Moments) {.nx = state->nx, .n = fabs(*next)};
	if (*next < 0)
		cluster->triangle = next + 1;
	else
	{
		cluster->nrows = (size_t) *next;
		cluster->rows = next + 1;
	}
	*at += cluster_size(next, state->nx);
	return true;
}

/* ---- what a value may be ------------------------------------------------------------------------- */

static const char *
number_problem(double x, double smallest, double largest)
{
	if (!isfinite(x) || fabs(x) > largest || (x != 0 && fabs(x) < smallest))
		return "a number is out of range";
	if (x == 0 && signbit(x))
		return "a number is negative zero";
	return NULL;
}

static int
compare_numbers(const double *a, const double *b, Size n)
{
	for (Size i = 0; i < n; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return 0;
}

static int
compare_rows(const void *a, const void *b, void *row_size)
{
	return compare_numbers(a, b, *(const int *) row_size);
}

/* Their first number tells their size: where it is the same, so is the size. */
static int
order_clusters(const double *a, const double *b, int nx)
{
	return compare_numbers(a, b, Min(cluster_size(a, nx), cluster_size(b, nx)));
}

static int
compare_clusters(const void *a, const void *b, void *nx)
{
	return order_clusters(*(const double *const *) a, *(const double *const *) b, *(const int *) nx);
}

static const char *
rows_problem(const double *rows, Size n, int nx)
{
	int			row_size = moments_row_size(nx);
	const char *problem = NULL;

	for (Size i = 0; problem == NULL && i < n; i++)
	{
		const double *row = rows + i * row_size;

		if (!(row[0] > 0))
			return "a weight is not positive";
		problem = number_problem(row[0], MOMENTS_SMALLEST_WEIGHT, MOMENTS_LARGEST_WEIGHT);
		for (int j = 1; problem == NULL && j < row_size; j++)
			problem = number_problem(row[j], MOMENTS_SMALLEST, MOMENTS_LARGEST);
		if (problem == NULL && i > 0 && compare_rows(row - row_size, row, &row_size) > 0)
			problem = "the rows are not in ascending order";
	}
	return problem;
}

/* Whether rows can have these sums of squares: numbers deviate from their mean by twice the largest at most. */
static bool
squares_in_range(const double *triangle, int nx)
{
	double		largest = 4 * triangle[0] * MOMENTS_LARGEST * MOMENTS_LARGEST;

	for (int j = 0; j <= nx; j++)
		if (!(triangle_square(triangle, nx, j) <= largest))
			return false;
	return true;
}

/* n rows, of which so many degrees of freedom are left for deviations */
static const char *
triangle_problem(const double *triangle, int nx, double n, double df)
{
	int			columns = nx + 1;
	double		deviating = 0;
	const double *row = triangle + triangle_row_at(nx, 0);
	const char *problem = NULL;

	for (Size i = 0; problem == NULL && i < moments_triangle_size(nx); i++)
		problem = number_problem(triangle[i], 0, INFINITY);
	if (problem != NULL)
		return problem;
	if (!(triangle[0] >= n * MOMENTS_SMALLEST_WEIGHT * 0.5 && triangle[0] <= n * MOMENTS_LARGEST_WEIGHT * 2))
		return "the sum of weights is out of range";
	for (int j = 1; j <= columns; j++)
	{
		if (fabs(triangle[j]) > MOMENTS_LARGEST)
			return "a mean is out of range";
		if (triangle[j] + triangle[j + columns] != triangle[j])
			return "a mean is not rounded";
	}
	for (int i = 0; i < columns; row += columns - i, i++)
	{
		if (row[0] < 0)
			return "a square is negative";
		deviating += row[0] > 0;
		for (int j = 1; row[0] == 0 && j < columns - i; j++)
			if (row[j] != 0)
				return "a column without deviation goes with others";
	}
	if (!squares_in_range(triangle, nx))
		return "a sum of squares is out of range";
	return deviating > df ? "more columns deviate than the rows allow" : NULL;
}

static const char *
clusters_problem(const ClvMoments *m)
{
	Size		end = room(m);
	Size		at = CLUSTERS_AT;
	double		n = 0;
	int64		groups = 0;

	if (end < CLUSTERS_AT || m->data[0] != (double) end)
		return "the size is wrong";
	for (const double *last = NULL; at < end; groups++)
	{
		const double *cluster = m->data + at;
		double		rows = fabs(*cluster);
		const char *problem;

		if (!(rows >= 1 && rows <= MAX_COUNT && rows == floor(rows)) ||
			(*cluster < 0) != (rows > moments_most_rows(m->nx)) || cluster_size(cluster, m->nx) > end - at)
			return "the rows of a cluster are out of range";
		if (last != NULL && order_clusters(last, cluster, m->nx) > 0)
			return "the clusters are not in order";
		problem = *cluster < 0 ? triangle_problem(cluster + 1, m->nx, rows, rows - 1) :
			rows_problem(cluster + 1, (Size) rows, m->nx);
		if (problem != NULL)
			return problem;
		n += rows;
		at += cluster_size(cluster, m->nx);
		last = cluster;
	}
	return n != (double) m->n || groups != m->groups ? "the clusters do not add up" : NULL;
}

static const char *
header_problem(const ClvMoments *m)
{
	if (VARSIZE(m) < HEADER_SIZE || (VARSIZE(m) - HEADER_SIZE) % sizeof(double) != 0)
		return "the size is wrong";
	if (m->version != MOMENTS_VERSION)
		return "the version is unknown";
	if (m->form > MOMENTS_CLUSTERS)
		return "the form is unknown";
	if (m->nx > ROWS_MAX_REGRESSORS || (m->nx == 0) != (m->n == 0))
		return "the number of regressors is out of range";
	if (m->n < 0 || m->n > (int64) MAX_COUNT || m->n_dropped < 0 || m->n_dropped > (int64) MAX_COUNT)
		return "the number of rows is out of range";
	if (m->groups < 0 || m->groups > m->n || (m->groups == 0) != (m->form < MOMENTS_WITHIN || m->n == 0))
		return "the number of groups is out of range";
	if (m->form == MOMENTS_CLUSTERS)
		return NULL;
	/* rows are kept exactly while they fit */
	if (m->form != MOMENTS_WITHIN && (m->form == MOMENTS_ROWS) != (m->n <= moments_most_rows(m->nx)))
		return "rows and triangle are mistaken for each other";
	return room(m) != used(m) ? "the size is wrong" : NULL;
}

const char *
moments_problem(const ClvMoments *m)
{
	const char *problem = header_problem(m);

	if (problem != NULL)
		return problem;
	switch (moments_form(m))
	{
		case MOMENTS_ROWS:
			return rows_problem(m->data, m->n, m->nx);
		case MOMENTS_CLUSTERS:
			return clusters_problem(m);
		default:
			return m->n == 0 ? NULL :
				triangle_problem(m->data, m->nx, (double) m->n, (double) (m->n - Max(m->groups, 1)));
	}
}

/* ---- stored form --------------------------------------------------------------------------------- */

static void
settle_triangle(double *triangle, int nx)
{
	if (!triangle_is_finite(triangle, nx) || !squares_in_range(triangle, nx))
		range_error("moments are out of range", "Scale the columns, such as from cents to millions.",
					"A sum of squares or product of columns exceeds the largest that rows have.");
	for (Size i = 0; i < moments_triangle_size(nx); i++)
		triangle[i] += 0.0;		/* -0 is 0 */
}

static void
sort_clusters(ClvMoments *stored)
{
	int			nx = stored->nx;
	const double **clusters = palloc(Max(stored->groups, 1) * sizeof(double *));
	double	   *sorted = palloc(used(stored) * sizeof(double));
	double	   *to = sorted;
	Size		at = CLUSTERS_AT;

	for (int64 i = 0; i < stored->groups; i++)
	{
		clusters[i] = stored->data + at;
		at += cluster_size(clusters[i], nx);
	}
	qsort_arg(clusters, stored->groups, sizeof(double *), compare_clusters, &nx);
	for (int64 i = 0; i < stored->groups; to += cluster_size(clusters[i], nx), i++)
		memcpy(to, clusters[i], cluster_size(clusters[i], nx) * sizeof(double));
	memcpy(stored->data + CLUSTERS_AT, sorted, (char *) to - (char *) sorted);
	pfree(sorted);
	pfree(clusters);
}

ClvMoments *
moments_trim(const ClvMoments *m)
{
	ClvMoments *stored = copy_with_room(m, used(m));
	int			row_size = moments_row_size(m->nx);

	if ((m->form & MOMENTS_BUILDING) != 0)
		switch (moments_form(m))
		{
			case MOMENTS_ROWS:
				qsort_arg(stored->data, stored->n, row_size * sizeof(double), compare_rows, &row_size);
				break;
			case MOMENTS_CLUSTERS:
				sort_clusters(stored);
				break;
			default:
				if (stored->n > 0)
					settle_triangle(stored->data, stored->nx);
		}
	stored->form = moments_form(m);
	Assert(moments_problem(stored) == NULL);
	return stored;
}

ClvMoments *
moments_stored(ClvMoments *m)
{
	return (m->form & MOMENTS_BUILDING) != 0 ? moments_trim(m) : m;
}

/* ---- building ------------------------------------------------------------------------------------ */

/* A state below this size doubles, above it grows by a quarter. */
#define DOUBLING_LIMIT (64 * 1024 * 1024)

void
moments_add_count(int64 *count, int64 more)
{
	if (*count > (int64) MAX_COUNT - more)
		range_error("too many rows for one value of clv_moments", "Merge fewer values.",
					"There would be more than %.0f.", MAX_COUNT);
	*count += more;
}

static void
check_columns(int a, int b)
{
	if (unlikely(a != b))
		argument_error("the number of regressors must be the same in all rows",
					   "Pass arrays of one length; NULL where a row has no value.", "It is %d and %d.", a, b);
}

/* A state that holds rows makes room for so many more, or becomes their triangle where they would not fit. */
static ClvMoments *
reserve_rows(ClvMoments *state, int64 more)
{
	int64		most = moments_most_rows(state->nx);
	int			row_size = moments_row_size(state->nx);
	Size		triangle_size = moments_triangle_size(state->nx);
	int64		rows = Max(state->n, 1);
	double	   *triangle;
	Moments		view;

	if (moments_form(state) != MOMENTS_ROWS)
		return state;
	if (state->n + more <= most)
	{
		if ((state->n + more) * row_size <= room(state))
			return state;
		while (rows < state->n + more)
			rows *= 2;
		/* the last step is to the triangle's size, so that it can take the place of the rows */
		return copy_with_room(state, rows > most / 2 ? triangle_size : rows * row_size);
	}
	view = moments_view(state);
	triangle = palloc0(triangle_size * sizeof(double));
	triangle_merge(triangle, &view);
	if (room(state) < triangle_size)
		state = copy_with_room(state, triangle_size);
	memset(state->data, 0, room(state) * sizeof(double));
	memcpy(state->data, triangle, triangle_size * sizeof(double));
	pfree(triangle);
	state->form = MOMENTS_TRIANGLE | MOMENTS_BUILDING;
	return state;
}

/* Clusters at the end, of which so many doubles are used. */
static ClvMoments *
append_clusters(ClvMoments *state, int nx, const double *clusters, Size doubles)
{
	Size		needed = used(state) + doubles;
	Size		most = (MaxAllocSize - HEADER_SIZE) / sizeof(double);
	Size		now = room(state);

	if (state->n == 0)
		state->nx = nx;
	check_columns(state->nx, nx);
	if (needed > most)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED), errmsg("too many clusters for one value"),
				 errdetail("Their moments would take more than 1 GB."),
				 errhint("Fit with lm_fit(y, x) first, and then read the rows once more with "
						 "lm_cluster_vcov(model, y, x, cluster).")));
	if (needed > now)
	{
		now += now * sizeof(double) < DOUBLING_LIMIT ? now : now / 4;
		state = copy_with_room(state, Min(Max(now, needed), most));
	}
	state->form |= MOMENTS_BUILDING;
	memcpy(state->data + used(state), clusters, doubles * sizeof(double));
	state->data[0] += (double) doubles;
	return state;
}

ClvMoments *
moments_append_row(ClvMoments *state, int nx, const double *row)
{
	Assert(moments_form(state) <= MOMENTS_TRIANGLE);
	if (state->n == 0)
		state->nx = nx;
	check_columns(state->nx, nx);
	state->form |= MOMENTS_BUILDING;
	state = reserve_rows(state, 1);
	if (moments_form(state) == MOMENTS_ROWS)
		memcpy(state->data + used(state), row, moments_row_size(nx) * sizeof(double));
	else
		triangle_add(state->data, nx, row);
	moments_add_count(&state->n, 1);
	return state;
}

ClvMoments *
moments_append_cluster(ClvMoments *state, const ClvMoments *cluster)
{
	Size		size = used(cluster);
	double	   *copy = palloc((1 + size) * sizeof(double));

	Assert(moments_form(state) == MOMENTS_CLUSTERS && moments_form(cluster) <= MOMENTS_TRIANGLE);
	copy[0] = moments_form(cluster) == MOMENTS_ROWS ? (double) cluster->n : -(double) cluster->n;
	memcpy(copy + 1, cluster->data, size * sizeof(double));
	state = append_clusters(state, cluster->nx, copy, 1 + size);
	pfree(copy);
	state->groups++;
	moments_add_count(&state->n, cluster->n);
	return state;
}

/* ---- merging ------------------------------------------------------------------------------------- */

ClvMoments *
moments_pool(ClvMoments *state, const ClvMoments *b)
{
	Moments		view;

	Assert(moments_form(state) == MOMENTS_WITHIN);
	moments_add_count(&state->n_dropped, b->n_dropped);
	if (b->n == 0)
		return state;
	if (state->n == 0)
	{
		ClvMoments *empty = state;

		state = moments_new(MOMENTS_WITHIN, b->nx, moments_triangle_size(b->nx));
		state->n_dropped = empty->n_dropped;
	}
	check_columns(state->nx, b->nx);
	state->form |= MOMENTS_BUILDING;
	view = moments_view(b);
	triangle_merge_within(state->data, &view);
	moments_add_count(&state->n, b->n);
	moments_add_count(&state->groups, view.within ? b->groups : 1);
	return state;
}

const char *
moments_sort_name(MomentsForm form)
{
	return form == MOMENTS_WITHIN ? "within groups" : form == MOMENTS_CLUSTERS ? "of clusters" : "of rows";
}

/* What has rows in it is of a sort: rows or their triangle, within groups, clusters. */
static void
check_sort(const ClvMoments *state, const ClvMoments *b)
{
	MomentsForm one = Max(moments_form(state), MOMENTS_TRIANGLE);
	MomentsForm other = Max(moments_form(b), MOMENTS_TRIANGLE);

	if (one != other)
		argument_error("moments of rows, within groups and of clusters do not mix",
					   "Pool groups with within_moments(), and merge what is of one sort with clv_moments().",
					   "There are moments %s and %s.", moments_sort_name(one), moments_sort_name(other));
}

ClvMoments *
moments_merge(ClvMoments *state, const ClvMoments *b)
{
	Moments		view;

	/* what has no row in it takes any sort */
	if (b->n == 0 && (state->n > 0 || moments_form(state) >= moments_form(b)))
	{
		moments_add_count(&state->n_dropped, b->n_dropped);
		return state;
	}
	if (state->n == 0)
	{
		int64		n_dropped = state->n_dropped;

		state = copy_with_room(b, used(b));
		moments_add_count(&state->n_dropped, n_dropped);
		return state;
	}
	check_sort(state, b);
	if (moments_form(b) == MOMENTS_WITHIN)
		return moments_pool(state, b);
	check_columns(state->nx, b->nx);
	moments_add_count(&state->n_dropped, b->n_dropped);
	state->form |= MOMENTS_BUILDING;
	if (moments_form(b) == MOMENTS_CLUSTERS)
	{
		state = append_clusters(state, b->nx, b->data + CLUSTERS_AT, used(b) - CLUSTERS_AT);
		state->groups += b->groups;
	}
	else
	{
		state = reserve_rows(state, b->n);
		view = moments_view(b);
		if (moments_form(state) == MOMENTS_ROWS)
			memcpy(state->data + used(state), b->data, used(b) * sizeof(double));
		else
			triangle_merge(state->data, &view);
	}
	moments_add_count(&state->n, b->n);
	return state;
}

/* merge_moments(a, b), operator + */
PG_FUNCTION_INFO_V1(clv_moments_merge);
Datum
clv_moments_merge(PG_FUNCTION_ARGS)
{
	const ClvMoments *a = PG_GETARG_MOMENTS(0);

	PG_RETURN_POINTER(moments_trim(moments_merge(copy_with_room(a, used(a)), PG_GETARG_MOMENTS(1))));
}

/* ---- comparison ---------------------------------------------------------------------------------- */

DEFINE_COMPARISONS(moments, PG_GETARG_STORED_MOMENTS)
