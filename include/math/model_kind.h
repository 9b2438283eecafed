/*
 * model_kind.h - what a model of purchases, churn, spend or a response must know, and the table of models.
 *
 * A model is one file in src/math that fills one const ModelKind, and one line in src/math/models.c.
 * What a model reads says which operations it has, the others are NULL, and the caller refuses the model
 * by what it reads:
 *   ROWS_RESPONSE, ROWS_SURVIVAL		response: the regressions, see regression.h; no other operation
 *   ROWS_TIMING, ROWS_OPPORTUNITIES	p_alive to discounted_purchases, simulate, and both means
 *   ROWS_RENEWALS						log_survival, expected_lifetime, simulate, and mean_dropout
 *   ROWS_SPEND							expected_spend, draw_customer, draw_amount
 */
#ifndef CLV_MATH_MODEL_KIND_H
#define CLV_MATH_MODEL_KIND_H

#include <stdbool.h>

#include "math/random.h"
#include "math/rows.h"

#define BTYD_MAX_PARAMS 5		/* of a model by itself */
#define BTYD_MAX_PHASES 20		/* of a count of phases: with more, a discounted prediction takes over 0.2 s */
#define FIT_MAX_PARAMS (4 + 2 * ROWS_MAX_COVARIATES)	/* with the effects of covariates */

/* Polled every few thousand rows; when it answers true the computation is abandoned. */
typedef struct FitStop
{
	bool		(*requested) (void *arg);
	void	   *arg;
} FitStop;

/*
 * One customer in the model's time unit: x repeat purchases, the last at t_x, observed until t_cal
 * (both counted from the first purchase). A new customer is {0, 0, 0}. Of ROWS_OPPORTUNITIES, t_cal is n.
 */
typedef struct Customer
{
	double		x;
	double		t_x;
	double		t_cal;
} Customer;

/*
 * How covariates z enter a model, so that a positive effect means more purchases or more dropout. In
 * both the second parameter, the rate alpha of the gamma distribution of purchase rates, becomes
 * alpha exp(-g'z). Fader and Hardie 2007; docs/mathematics.md.
 */
typedef enum CovariateEffect
{
	COVARIATES_NONE = 0,
	COVARIATES_DROPOUT_RATE,	/* the fourth parameter, beta, becomes beta exp(-d'z): Pareto/NBD */
	COVARIATES_DROPOUT_ODDS		/* of the third and fourth, a and b, logit(a / (a + b)) grows by d'z, and a + b stays */
} CovariateEffect;

/* Takes the time of one simulated purchase; answers false to end the simulation. */
typedef bool (*EmitPurchase) (double at, void *arg);

/*
 * theta is an array of nparams positive parameters, in the order of params. All operations return
 * finite numbers for valid input; a value below 1e-300 may come out as 0. Where the exact value is
 * infinite they return INFINITY, where it does not exist NAN, and the caller raises the error.
 */
typedef struct ModelKind
{
	int			code;			/* stored on disk: never renumber */
	const char *kind;			/* "bgnbd": name in glance(), jsonb and the text form */
	const char *title;			/* "BG/NBD": name in messages */
	RowKind		reads;
	int			nparams;
	const char *const *params;

	/* the last parameter is a whole number k >= 1, chosen by trying: log_likelihood has no slope in it */
	bool		counts_phases;
	CovariateEffect covariates;
	const struct ModelKind *nests;	/* the special case of this model with one parameter less inside its range */

	/*
	 * Why the rows cannot determine the model, as static texts, or false when they can (cheap
	 * checks only: enough rows, some repeat purchase, ...).
	 */
	bool		(*undetermined) (const Rows *rows, const char **reason, const char **hint);
	/* Start values from the data; the count of phases is set already. */
	void		(*start) (const Rows *rows, double *theta);

	/*
	 * Log-likelihood (density of purchase times, without binomials) at theta, with gradient
	 * grad[n] and Hessian hess[n * n] with respect to theta on its natural scale where the pointers
	 * are not NULL, n the number of parameters without a count of phases. Polls stop (may be NULL)
	 * and returns NAN when it was asked to.
	 */
	double		(*log_likelihood) (const Rows *rows, const double *theta, double *grad, double *hess,
								   const FitStop *stop);

	/* Which parameters ran off to a limit of the model at theta and why they do, as static texts. */
	void		(*ran_off) (const double *theta, const char **reason, const char **hint);

	double		(*mean_rate) (const double *theta);		/* purchases per unit while alive */
	double		(*mean_dropout) (const double *theta);	/* per purchase (BG) or per unit (Pareto) */

	bool		begins_alive;		/* nobody leaves before a repeat purchase: without one P(alive) is 1 */

	/* probability of being alive at t_cal + t */
	double		(*p_alive) (const double *theta, const Customer *c, double t);
	/* expected number of purchases in (t_cal, t_cal + t] */
	double		(*expected_purchases) (const double *theta, const Customer *c, double t);
	/* probability of no purchase in (t_cal, t_cal + t] */
	double		(*silence) (const double *theta, const Customer *c, double t);
	/* probability of exactly n purchases in (t_cal, t_cal + t] */
	double		(*purchase_probability) (const double *theta, const Customer *c, double n, double t);
	/*
	 * expected purchases in (t_cal, t_cal + t], each discounted by exp(-delta * time); t may be INFINITY,
	 * and the value then is, too, where delta is negative
	 */
	double		(*discounted_purchases) (const double *theta, const Customer *c, double delta, double t);
	/* expected amount per purchase given x repeat purchases of mean m; x = 0: population mean */
	double		(*expected_spend) (const double *theta, double x, double m);
	/* the weight of m in it, the population mean having the rest; NAN where the population has no mean */
	double		(*spend_weight) (const double *theta, double x);

	/* log of the probability that a new customer is one after t = 0, 1, ... renewals */
	double		(*log_survival) (const double *theta, double t);
	/*
	 * Expected number of payments, each discounted by 1 / (1 + rate) a period, rate >= 0: of a new customer,
	 * the first at time 0 and certain (tenure = 0), or of one who has paid for `tenure` = 1, 2, ... periods,
	 * from the renewal to come, which is at time 0 and not certain. INFINITY where it is.
	 */
	double		(*expected_lifetime) (const double *theta, double rate, double tenure);

	/* A regression: what is expected where the linear predictor is eta, such as a probability. */
	double		(*response) (double eta);
	/* its first two derivatives; NULL where the mean of responses over rows has no meaning */
	void		(*slopes) (double eta, double *first, double *second);

	/* Draw a new customer and emit the purchases after the first, or the renewals, in (0, t], in order. */
	void		(*simulate) (const double *theta, double t, Random *random, EmitPurchase emit, void *arg);
	/* What distinguishes a customer's amounts, and one amount of that customer. */
	double		(*draw_customer) (const double *theta, Random *random);
	double		(*draw_amount) (const double *theta, double customer, Random *random);
} ModelKind;

extern const ModelKind bgnbd_model; /* 1 */
extern const ModelKind gamma_gamma_model;	/* 2 */
extern const ModelKind pareto_nbd_model;	/* 3 */
extern const ModelKind mbgnbd_model;	/* 4 */
extern const ModelKind bgcnbd_model;	/* 5 */
extern const ModelKind mbgcnbd_model;	/* 6 */
extern const ModelKind bgbb_model;	/* 7 */
extern const ModelKind sbg_model;	/* 8 */
extern const ModelKind bdw_model;	/* 9 */

extern const ModelKind lm_model;	/* 10 */
extern const ModelKind logit_model; /* 11 */
extern const ModelKind hazard_model;	/* 12 */
extern const ModelKind cox_model;	/* 13 */

/* The models one after the other, i = 0, 1, ...; NULL behind the last. */
extern const ModelKind *model_kind_at(int i);

/* Find a model by its code on disk or by its kind; NULL if unknown. */
extern const ModelKind *model_kind_by_code(int code);
extern const ModelKind *model_kind_by_name(const char *kind);

#endif
