/*
 * survival_fits.h - what the tests of Cox regression and of the discrete-time hazard share: rows, and the references of
 * reference/cox.csv, which reference/make_cox writes.
 */
#ifndef CLV_TEST_SURVIVAL_FITS_H
#define CLV_TEST_SURVIVAL_FITS_H

#include "support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "math/concave.h"

/* Rows under construction, of `columns` cluster and regressors before entry, tenure and event. */
typedef struct Survivors
{
	Sample		sample;
	int			columns;
} Survivors;

static void
begin_survivors(Survivors *s, int columns)
{
	sample_init(&s->sample, columns + 3);
	s->columns = columns;
}

static Rows
survivor_rows(Survivors *s)
{
	Rows		rows = *sample_fold(&s->sample);

	rows.ncols = 3;
	rows.ncovariates = s->columns;
	return rows;
}

static void
end_survivors(Survivors *s)
{
	sample_free(&s->sample);
}

/* A fit and all it found. */
typedef struct Fitted
{
	FitResult	fit;
	RegressionRecord record;
	SearchReport report;
} Fitted;

static inline double
fitted_error(const Fitted *f, int i)
{
	return sqrt(f->fit.covariance[i * f->fit.nparams + i]);
}

/* A model of the reference file: 0 Cox by Efron, 1 Cox by Breslow, 2 hazard. */
typedef Fitted (*FitRows) (int model, const Rows *rows, bool clustered, ErrorKind errors);

static void
assert_all_near(const char *what, double actual, double expected, double tolerance)
{
	if (!(fabs(actual - expected) <= tolerance * fmax(1, fabs(expected))))
		fail_msg("%s is %.17g, expected %.17g", what, actual, expected);
}

/* Compare one block of the file. */
static void
check_block(FILE *file, FitRows fit, const double *head)
{
	int			p = (int) head[1];
	int			n = (int) head[3];
	const ErrorKind kinds[] = {ERRORS_MODEL, ERRORS_HC0, ERRORS_CR1};
	double		line[64];
	double		b[FIT_MAX_PARAMS];
	double		likelihood[3];
	double		clusters = 1;
	Survivors	s;
	Rows		rows;

	begin_survivors(&s, p + 1);
	for (int i = 0; i < (int) head[2]; i++)
	{
		assert_true(read_numbers(file, line, p + 5));
		sample_add(&s.sample, line, line[p + 4]);
	}
	rows = survivor_rows(&s);
	for (size_t i = 1; i < rows.n; i++)
		clusters += rows_at(&rows, i)[-p - 1] != rows_at(&rows, i - 1)[-p - 1];
	assert_true(read_numbers(file, likelihood, 3));
	assert_true(read_numbers(file, b, n));
	for (int k = 0; k < 3; k++)
	{
		Fitted		f = fit((int) head[0], &rows, true, kinds[k]);

		assert_int_equal(f.fit.status, FIT_CONVERGED);
		assert_true(read_numbers(file, line, n));
		assert_int_equal(f.fit.nparams, n);
		assert_all_near("log-likelihood without x", f.report.null_log_likelihood, likelihood[0], 1e-12);
		assert_all_near("log-likelihood", f.fit.log_likelihood, likelihood[1], 1e-12);
		assert_all_near("score", f.report.score, likelihood[2], 1e-11);
		for (int i = 0; i < n; i++)
		{
			/* an intercept at x = 0, far from x = 2000, has as much error as the effect times 2000 */
			assert_all_near("estimate", f.fit.theta[i] / line[i], b[i] / line[i], 1e-11);
			assert_relative(fitted_error(&f, i), line[i], 1e-9);
		}
		if (kinds[k] == ERRORS_CR1)
		{
			assert_near(f.record.clusters, clusters, 0);
			assert_near(f.record.df, clusters - 1, 0);
			assert_relative(f.record.statistic, wald_of_last(&f.fit, p) / p, 1e-9);
			continue;
		}
		assert_true(isnan(f.record.clusters) && isnan(f.record.df));
		if (kinds[k] == ERRORS_MODEL)
			assert_all_near("likelihood ratio", f.record.statistic, 2 * (likelihood[1] - likelihood[0]), 1e-11);
		else
			assert_relative(f.record.statistic, wald_of_last(&f.fit, p), 1e-9);
	}
	end_survivors(&s);
}

/* Compare all blocks of models in [first, last]; at least so many must be there. */
static void
check_fits(FitRows fit, int first, int last, int least)
{
	FILE	   *file = fopen("reference/cox.csv", "r");
	double		head[4];
	int			blocks = 0;

	assert_non_null(file);
	while (read_numbers(file, head, 4))
	{
		if (head[0] >= first && head[0] <= last)
		{
			check_block(file, fit, head);
			blocks++;
			continue;
		}
		for (int i = 0; i < (int) head[2] + 5; i++)
			assert_true(read_numbers(file, (double[64]) {0}, 1));
	}
	fclose(file);
	assert_true(blocks >= least);
}

#endif
