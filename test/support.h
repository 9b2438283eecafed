/*
 * support.h - what the tests of src/math share: samples of rows, simulated customers and the CDNOW
 * data.
 */
#ifndef CLV_TEST_SUPPORT_H
#define CLV_TEST_SUPPORT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "math/fit.h"
#include "math/rows.h"

/* Rows under construction: add, then fold into the distinct sorted rows a fit reads. */
typedef struct Sample
{
	Rows		rows;
	double	   *data;
	size_t		capacity;
} Sample;

extern void sample_init(Sample *sample, int ncols);
extern void sample_add(Sample *sample, const double *columns, double count);
extern const Rows *sample_fold(Sample *sample);
extern void sample_free(Sample *sample);

/*
 * One BG/NBD customer observed for t_cal; times are rounded down to multiples of grid unless it is
 * 0.
 */
extern void simulate_bgnbd(Random *random, const double *theta, double t_cal, double grid,
						   double *columns);
/*
 * A row (x, t_x, t_cal) of a new customer of any model of purchases, seen until t_cal, or (x, t_x, n) in
 * opportunities. Returns the sum of the logarithms of the times between purchases.
 */
extern double simulate_customer(const ModelKind *model, Random *random, const double *theta, double t_cal,
							  double *columns);
/* Mean of x amounts of one gamma-gamma customer. */
extern double simulate_mean_spend(Random *random, const double *theta, double x);

/*
 * A file of the data folder CLV_DATA, by default ../shared/data seen from the repository; NULL if
 * absent.
 */
extern void *open_data(const char *name);

/*
 * CDNOW's 1/10 sample up to 1997-09-30, in weeks: same-day orders are one purchase. Timing rows with their log gaps (x,
 * t_x, t_cal) and spend rows (x, mean) of the repeat buyers. Returns the customers, 0 if absent.
 */
extern int	cdnow_exact(Sample *timing, Sample *spend);
/* The same as published with two decimals; false if absent. */
extern bool cdnow_two_decimals(Sample *timing);

/*
 * The numbers of the next line of a file of test/reference, NAN where a column is empty; lines without a number at
 * their start are skipped. False at the end of the file.
 */
extern bool read_numbers(void *file, double *row, int columns);

/* The prediction of a column from a line's inputs. */
typedef double (*PredictColumn) (const double *row, int column);

/*
 * Compare predictions with a file of references: a header, then lines of ninputs inputs and predictions, the empty ones
 * of which are skipped. Prints the worst relative error of each column, and fails where it is above 1e-10 or where
 * fewer than `least` are compared. Values below 1e-300 may come out as 0.
 */
extern void check_references(const char *path, const char *const *names, int ninputs, int ncolumns,
							 PredictColumn predict, int least);

extern void assert_near(double actual, double expected, double tolerance);
extern void assert_relative(double actual, double expected, double tolerance);

/* Wald's chi-square of the last nx parameters of a fit, by the inverse of their covariance as it is reported. */
extern double wald_of_last(const FitResult *fit, int nx);

#endif
