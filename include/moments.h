/*
 * moments.h - type clv_moments: what least squares need of rows (y, x1, ..., xk), in one pass and mergeable.
 *
 * A value holds its rows while they take no more room than their triangle (math/moments.h), and from then on the
 * triangle. Stored, it has no spare room, and rows are sorted: values of the same rows are equal bytes while they hold
 * rows; triangles are, up to the rounding of the order in which rows came. Building, as aggregates grow it, rows come
 * in any order, with zeroed room behind them.
 */
#ifndef CLV_MOMENTS_H
#define CLV_MOMENTS_H

#include "common.h"
#include "math/moments.h"

#define MOMENTS_VERSION 1

#define MOMENTS_BUILDING 0x80	/* flag of form: an aggregate's working state */

/* Stored on disk: append, never renumber. */
typedef enum MomentsForm
{
	MOMENTS_ROWS = 0,			/* data: the rows, weight, x1, ..., xk, y each */
	MOMENTS_TRIANGLE = 1,		/* data: their triangle */
	MOMENTS_WITHIN = 2,			/* data: the triangle of what is left within groups, whose means were taken out */
	MOMENTS_CLUSTERS = 3		/* data: clusters one by one, see moments_next_cluster(); state of lm_cluster_fit() */
} MomentsForm;

typedef struct ClvMoments
{
	int32		vl_len_;
	uint16		version;
	uint8		form;			/* MomentsForm, and MOMENTS_BUILDING */
	uint8		nx;				/* 0 while no row was of use */
	int64		n;				/* rows that were of use */
	int64		n_dropped;		/* rows with a NULL or of weight 0 */
	int64		groups;			/* within: whose means were taken out; clusters: how many; else 0 */
	double		data[FLEXIBLE_ARRAY_MEMBER];
} ClvMoments;

StaticAssertDecl(offsetof(ClvMoments, data) == 32, "the header takes 32 bytes on disk");

/* The value a Datum holds, detoasted; an error where a newer version of clv wrote it. */
static inline ClvMoments *
moments_from_datum(Datum datum)
{
	ClvMoments *value = (ClvMoments *) PG_DETOAST_DATUM(datum);

	check_version("clv_moments", value->version, MOMENTS_VERSION);
	return value;
}

#define PG_GETARG_MOMENTS(n) moments_from_datum(PG_GETARG_DATUM(n))
#define PG_GETARG_STORED_MOMENTS(n) moments_stored(PG_GETARG_MOMENTS(n))

static inline MomentsForm
moments_form(const ClvMoments *m)
{
	return m->form & ~MOMENTS_BUILDING;
}

/* Doubles of a row, of a triangle, and how many rows are kept as they are. */
static inline int
moments_row_size(int nx)
{
	return nx + 2;
}

static inline int
moments_most_rows(int nx)
{
	return nx == 0 ? 0 : (int) moments_triangle_size(nx) / moments_row_size(nx);
}

/*
 * The view that the mathematics read: it points into m, which may be in either form, but must have a row and be no
 * state of clusters.
 */
extern Moments moments_view(const ClvMoments *m);

/* The same, for functions that users call: an error where it is a state of clusters; false where there is no row. */
extern bool moments_readable(const ClvMoments *m, Moments *view);

/* m where it is in stored form, else a stored copy; the copy alone. A range error where merged numbers overflowed. */
extern ClvMoments *moments_stored(ClvMoments *m);
extern ClvMoments *moments_trim(const ClvMoments *m);

/* What is wrong with a value, or NULL: counts, sizes, order, bounds, in stored form. */
extern const char *moments_problem(const ClvMoments *m);

/* "of rows", "within groups", "of clusters" */
extern const char *moments_sort_name(MomentsForm form);

/* A new state in building form, empty, of a form, with room for so many doubles. */
extern ClvMoments *moments_new(MomentsForm form, int nx, Size doubles);

/* Add to a count of rows; a range error where there would be too many. */
extern void moments_add_count(int64 *count, int64 more);

/* Add a row, weight, x1, ..., xnx, y, to a state of rows or their triangle, which may move. */
extern ClvMoments *moments_append_row(ClvMoments *state, int nx, const double *row);

/* Add all that b holds to a state, which may move. b is left alone. Moments of different sorts do not mix. */
extern ClvMoments *moments_merge(ClvMoments *state, const ClvMoments *b);

/* The same for a state within groups: rows of b, or their triangle, are one group, whose means are taken out. */
extern ClvMoments *moments_pool(ClvMoments *state, const ClvMoments *b);

/*
 * A state of clusters is a clv_moments as well, so that it travels as one. It begins as moments_new(MOMENTS_CLUSTERS,
 * 0, 1), and moments_merge() appends the clusters of another. Add one, whose moments are stored and have a row. An
 * error where the state would pass the largest size of a value: the hint names lm_cluster_vcov().
 */
extern ClvMoments *moments_append_cluster(ClvMoments *state, const ClvMoments *cluster);

/*
 * The transition of aggregates over the moments of clusters: argument 0 is the state or NULL, 1 one cluster's moments.
 * Its combine function is clv_moments_combine.
 */
extern ClvMoments *moments_add_cluster(FunctionCallInfo fcinfo);

/* The next cluster of a state, from *at = 0 on; false behind the last one. Its view points into the state. */
extern bool moments_next_cluster(const ClvMoments *state, Size *at, Moments *cluster);

#endif
