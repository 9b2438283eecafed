/*
 * concave.h - the maximum of a concave log-likelihood of few parameters: what Cox regression and the discrete-time
 * hazard have in common.
 */
#ifndef CLV_MATH_CONCAVE_H
#define CLV_MATH_CONCAVE_H

#include <stdbool.h>

#include "math/regression.h"

/*
 * The function: its value at b[n], with gradient[n] and information[n * n], minus the second derivatives. NAN where the
 * caller asked to stop, -INFINITY where the numbers leave their range.
 */
typedef struct Concave
{
	int			n;
	double		(*evaluate) (void *arg, const double *b, double *gradient, double *information);
	void	   *arg;
	double		unit;			/* the information about the effect of a column with a standard deviation of 1, or so */
} Concave;

/* What a search for the maximum found. Parameters that are not `kept` stay where they started. */
typedef struct Maximum
{
	FitStatus	status;
	const char *reason;			/* as in a FitResult */
	const char *hint;
	bool		kept[FIT_MAX_PARAMS];	/* false: its column is a linear combination of those before it */
	bool		infinite[FIT_MAX_PARAMS];	/* FIT_IMPOSSIBLE because the function rises without end in these */
	double		b[FIT_MAX_PARAMS];
	double		inverse[FIT_MAX_PARAMS * FIT_MAX_PARAMS];	/* of the information; 0 where not kept */
	double		start_value;
	double		value;
	double		score;			/* Rao's score chi-square of the start: gradient' inverse gradient */
	double		gradient_norm;	/* the same at b, and its square root */
	int			iterations;
} Maximum;

/*
 * Newton's method with halved steps. A parameter whose column adds less than 1e-10 of its own information to those
 * before it is left out. Without a finite maximum the steps do not shrink while the gain of each does, by the same
 * factor (Albert and Anderson 1984 for the logistic model, Bryson and Johnson 1981 for Cox's): where the function then
 * falls by less than 1 over 14 standard errors, there is none.
 */
extern void find_maximum(const Concave *f, const double *start, Maximum *m);

/* How many of the parameters from `first` on are kept. */
extern int	kept_from(const Maximum *m, int n, int first);

/* The columns of ROWS_SURVIVAL. */
enum
{
	SURVIVAL_ENTRY, SURVIVAL_TENURE, SURVIVAL_EVENT
};

/* What the searches of a fit found beyond a FitResult. */
typedef struct SearchReport
{
	double		null_log_likelihood;	/* without any effect of x */
	double		score;			/* Rao's score chi-square of "no x has an effect" */
	bool		infinite[FIT_MAX_PARAMS];	/* FIT_IMPOSSIBLE because these parameters have no finite estimate */
} SearchReport;

/*
 * Location and scale of columns, so that regressors can be centred and scaled: first every row is shown, then every row
 * is weighed. A column that never varies has unit 0, and comes out as 0.
 */
typedef struct ColumnScales
{
	int			n;
	double		weight;
	double		low[ROWS_MAX_REGRESSORS];
	double		high[ROWS_MAX_REGRESSORS];
	double		center[ROWS_MAX_REGRESSORS];
	double		unit[ROWS_MAX_REGRESSORS];
} ColumnScales;

extern void begin_scales(ColumnScales *s, int n);
extern void show_row(ColumnScales *s, const double *x);
extern void weigh_row(ColumnScales *s, const double *x, double weight);
/* False where the columns leave the range of numbers. */
extern bool end_scales(ColumnScales *s);

static inline double
scaled_column(const ColumnScales *s, const double *x, int i)
{
	return s->unit[i] > 0 ? (x[i] - s->center[i]) / s->unit[i] : 0;
}

/*
 * Sums of products of scores, what a sandwich is filled with: rows come cluster by cluster, each begun (and the last
 * one ended) by next_cluster(); or all customers of a row are clusters by themselves.
 */
typedef struct ScoreSums
{
	int			n;
	double	   *meat;			/* n x n */
	double		clusters;		/* with any row, ended */
	bool		open;
	double		score[FIT_MAX_PARAMS];	/* of the cluster at hand */
} ScoreSums;

extern void begin_scores(ScoreSums *s, int n, double *meat);
extern void next_cluster(ScoreSums *s);
extern void add_score(ScoreSums *s, const double *score, double count);
extern void add_lone_scores(ScoreSums *s, const double *score, double count);

/*
 * The fit of a regression from the maximum in scaled columns: theta = transform b, with transform[n * n], is what the
 * parameters are in their own units. meat[n * n], or NULL, is the sum over clusters of the products of their scores:
 * the covariance then is the sandwich (Liang and Zeger 1986), which record->errors says. The statistic is that of the
 * last nx parameters. Where a number leaves its range the fit is impossible.
 */
extern void report_maximum(const Maximum *m, int n, int nx, const double *transform, const double *meat,
						   FitResult *fit, RegressionRecord *record);

/* A fit that the data cannot determine, for this reason. */
extern void report_impossible(FitResult *fit, const char *reason, const char *hint);

/* A record of which nothing is known yet but where the standard errors come from. */
extern RegressionRecord empty_record(ErrorKind errors);

#endif
