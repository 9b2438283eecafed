/*
 * support.c - samples of rows, simulated customers and the CDNOW data.
 */
#define _GNU_SOURCE				/* qsort_r */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "math/matrix.h"

/* ---- samples --------------------------------------------------------------------------------- */

void
sample_init(Sample *sample, int ncols)
{
	memset(sample, 0, sizeof(*sample));
	sample->rows.ncols = ncols;
	sample->rows.log_gaps = NAN;
}

void
sample_add(Sample *sample, const double *columns, double count)
{
	size_t		width = sample->rows.ncols + 1;
	double	   *row;

	if (sample->rows.n == sample->capacity)
	{
		sample->capacity = sample->capacity ? 2 * sample->capacity : 1024;
		sample->data = realloc(sample->data, sample->capacity * width * sizeof(double));
		assert_non_null(sample->data);
	}
	row = sample->data + width * sample->rows.n++;
	memcpy(row, columns, (width - 1) * sizeof(double));
	row[width - 1] = count;
	sample->rows.data = sample->data;
}

static int
compare_columns(const void *a, const void *b, void *ncols)
{
	const double *x = a;
	const double *y = b;

	for (int i = 0; i < *(int *) ncols; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

const Rows *
sample_fold(Sample *sample)
{
	int			ncols = sample->rows.ncols;
	size_t		width = ncols + 1;
	size_t		kept = 0;

	if (sample->rows.n > 0)
		qsort_r(sample->data, sample->rows.n, width * sizeof(double), compare_columns, &ncols);
	for (size_t i = 0; i < sample->rows.n; i++)
	{
		double	   *row = sample->data + width * i;
		double	   *last = kept ? sample->data + width * (kept - 1) : NULL;

		if (last != NULL && compare_columns(row, last, &ncols) == 0)
			last[ncols] += row[ncols];
		else
			memmove(sample->data + width * kept++, row, width * sizeof(double));
	}
	sample->rows.n = kept;
	return &sample->rows;
}

void
sample_free(Sample *sample)
{
	free(sample->data);
	sample_init(sample, sample->rows.ncols);
}

/* ---- customers ------------------------------------------------------------------------------- */

void
simulate_bgnbd(Random *random, const double *theta, double t_cal, double grid, double *columns)
{
	double		rate = random_gamma(random, theta[0]) / theta[1];
	double		dropout = random_beta(random, theta[2], theta[3]);
	double		at = 0;

	columns[0] = columns[1] = 0;
	columns[2] = t_cal;
	for (;;)
	{
		at += random_exponential(random) / rate;
		if (!(at <= t_cal))
			return;
		if (grid == 0)
		{
			columns[0]++;
			columns[1] = at;
		}
		/* purchases of one day are one purchase, and those of the first day are the first */
		else if (floor(at / grid) * grid > columns[1])
		{
			columns[0]++;
			columns[1] = floor(at / grid) * grid;
		}
		if (random_uniform(random) < dropout)
			return;
	}
}

typedef struct Purchases
{
	double		x;
	double		t_x;
	double		log_gaps;
} Purchases;

static bool
note_purchase(double at, void *arg)
{
	Purchases  *p = arg;

	p->x++;
	p->log_gaps += log(at - p->t_x);
	p->t_x = at;
	return true;
}

double
simulate_customer(const ModelKind *model, Random *random, const double *theta, double t_cal, double *columns)
{
	Purchases	p = {0, 0, 0};

	model->simulate(theta, t_cal, random, note_purchase, &p);
	columns[0] = p.x;
	columns[1] = p.t_x;
	columns[2] = t_cal;
	return p.log_gaps;
}

double
simulate_mean_spend(Random *random, const double *theta, double x)
{
	double		nu = random_gamma(random, theta[1]) / theta[2];

	return random_gamma(random, theta[0] * x) / (nu * x);
}

/* ---- CDNOW ----------------------------------------------------------------------------------- */

void *
open_data(const char *name)
{
	const char *folder = getenv("CLV_DATA");
	char		path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : "../../shared/data", name);
	return fopen(path, "r");
}

/* days since 0000-03-01 of the Gregorian calendar */
static int
day_number(int year, int month, int day)
{
	int			m = (month + 9) % 12;
	int			y = year - (month <= 2);

	return 365 * y + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + day - 1;
}

typedef struct CdnowCustomer
{
	int			customer;
	int			first;
	int			last;
	double		x;
	double		amount;			/* of the repeat purchases */
} CdnowCustomer;

static void
add_customer(const CdnowCustomer *p, int end, Sample *timing, Sample *spend)
{
	double		row[3] = {p->x, (p->last - p->first) / 7.0, (end - p->first) / 7.0};

	sample_add(timing, row, 1);
	row[1] = p->amount / p->x;
	if (p->x > 0 && row[1] > 0)
		sample_add(spend, row, 1);
}

/* The file is sorted by customer and day. */
int
cdnow_exact(Sample *timing, Sample *spend)
{
	FILE	   *file = open_data("cdnow_sample_transactions.csv");
	int			end = day_number(1997, 9, 30);
	int			customers = 0;
	double		log_gaps = 0;
	CdnowCustomer	p = {.customer = -1};
	char		line[256];

	if (file == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL)
	{
		int			customer;
		int			year;
		int			month;
		int			mday;
		double		amount;

		if (sscanf(line, "%*d,%d,%d-%d-%d,%*d,%lf", &customer, &year, &month, &mday, &amount) != 5)
			continue;

		int			day = day_number(year, month, mday);

		if (customer != p.customer)
		{
			if (customers++ > 0)
				add_customer(&p, end, timing, spend);
			p = (CdnowCustomer){customer, day, day, 0, 0};
		}
		else if (day <= end && day > p.first)
		{
			if (day > p.last)
			{
				p.x++;
				log_gaps += log((day - p.last) / 7.0);
			}
			p.last = day;
			p.amount += amount;
		}
	}
	if (customers > 0)
		add_customer(&p, end, timing, spend);
	fclose(file);
	timing->rows.log_gaps = log_gaps;
	sample_fold(timing);
	sample_fold(spend);
	return customers;
}

bool
cdnow_two_decimals(Sample *timing)
{
	FILE	   *file = open_data("cdnow_summary.csv");
	char		line[256];
	double		row[3];

	if (file == NULL)
		return false;
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "%*d,%lf,%lf,%lf", &row[0], &row[1], &row[2]) == 3)
			sample_add(timing, row, 1);
	fclose(file);
	sample_fold(timing);
	return true;
}

/* ---- references ------------------------------------------------------------------------------ */

#define MAX_COLUMNS 32
#define TOLERANCE 1e-10
#define REPRESENTABLE 1e-300

bool
read_numbers(void *file, double *row, int columns)
{
	char		line[2048];
	char	   *at;
	char	   *end;

	do
	{
		if (fgets(line, sizeof(line), file) == NULL)
			return false;
		row[0] = strtod(line, &end);
	} while (end == line);
	at = line;
	for (int i = 0; i < columns; i++)
	{
		row[i] = strtod(at, &end);
		if (end == at)
			row[i] = NAN;
		at = end + (*end == ',');
	}
	return true;
}

static double
reference_error(double value, double exact)
{
	if (fabs(exact) < REPRESENTABLE)
		return value >= 0 && value < 2 * REPRESENTABLE ? 0 : INFINITY;
	return isnan(value) ? INFINITY : fabs(value / exact - 1);
}

void
check_references(const char *path, const char *const *names, int ninputs, int ncolumns, PredictColumn predict,
				 int least)
{
	FILE	   *file = fopen(path, "r");
	double		worst[MAX_COLUMNS] = {0};
	int			compared[MAX_COLUMNS] = {0};
	double		row[MAX_COLUMNS];

	assert_non_null(file);
	while (read_numbers(file, row, ncolumns))
		for (int i = ninputs; i < ncolumns; i++)
			if (!isnan(row[i]))
			{
				double		value = predict(row, i);
				double		error = reference_error(value, row[i]);

				worst[i] = fmax(worst[i], error);
				compared[i]++;
				if (error <= TOLERANCE)
					continue;
				printf("%s: %.17g instead of %.17g at", names[i], value, row[i]);
				for (int j = 0; j < ninputs; j++)
					printf(" %s=%.17g", names[j], row[j]);
				printf("\n");
			}
	fclose(file);
	for (int i = ninputs; i < ncolumns; i++)
		printf("%-22s %3d references, worst relative error %.1e\n", names[i], compared[i], worst[i]);
	for (int i = ninputs; i < ncolumns; i++)
	{
		assert_true(compared[i] >= least);
		assert_true(worst[i] <= TOLERANCE);
	}
}

/* ---- assertions ------------------------------------------------------------------------------ */

void
assert_near(double actual, double expected, double tolerance)
{
	if (!(fabs(actual - expected) <= tolerance))
		fail_msg("%.17g is not within %g of %.17g", actual, tolerance, expected);
}

void
assert_relative(double actual, double expected, double tolerance)
{
	assert_near(actual, expected, tolerance * fabs(expected));
}

double
wald_of_last(const FitResult *fit, int nx)
{
	const double *b = fit->theta + fit->nparams - nx;
	double		part[FIT_MAX_PARAMS * FIT_MAX_PARAMS] = {0};
	double		inverse[FIT_MAX_PARAMS * FIT_MAX_PARAMS];
	double		sum = 0;

	for (int i = 0; i < nx; i++)
		for (int j = 0; j < nx; j++)
			part[i * nx + j] = fit->covariance[(fit->nparams - nx + i) * fit->nparams + fit->nparams - nx + j];
	assert_true(invert_positive(part, nx, inverse));
	for (int i = 0; i < nx; i++)
		for (int j = 0; j < nx; j++)
			sum += b[i] * inverse[i * nx + j] * b[j];
	return sum;
}
