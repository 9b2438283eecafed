/*
 * projection.h - what a lift of one driver is worth: through churn, and through margins, customer by customer.
 */
#ifndef CLV_MATH_PROJECTION_H
#define CLV_MATH_PROJECTION_H

#include "math/inference.h"
#include "math/rows.h"

/* The results, in the order in which they are shown. */
typedef enum LiftQuantity
{
	LIFT_CHURN_BEFORE,			/* mean probability of churn within a period */
	LIFT_CHURN_AFTER,
	LIFT_CHURN_CHANGE,			/* after less before: absolute */
	LIFT_CHURN_CHANGE_RELATIVE,	/* the same as a share of before */
	LIFT_VALUE_BEFORE,			/* mean value of a customer */
	LIFT_VALUE_AFTER,
	LIFT_VALUE_CHANGE,
	LIFT_VALUE_BY_RETENTION,	/* of the change, what comes at margins as they were */
	LIFT_VALUE_BY_EXPANSION,	/* and the rest; NAN without a model of margins */
	LIFT_RETURN,				/* the change times the customers */
	LIFT_NET,					/* return less cost */
	LIFT_ROI,					/* net as a share of cost; NAN without a cost */
	LIFT_PROBABILITY_OF_BREAK_EVEN,
	LIFT_REQUIRED,				/* the lift whose return is the cost; NAN where none on the scale is */
	LIFT_CLIPPED_SHARE,			/* of customers who reach the end of the scale before the lift is used up */
	LIFT_QUANTITIES
} LiftQuantity;

extern const char *const lift_quantities[LIFT_QUANTITIES];

typedef struct LiftQuestion
{
	FittedModel churn;			/* logit or lm of churn within a period on x; an effect of NAN adds nothing */
	FittedModel margins;		/* lm of what a staying customer brings a period on the same x; model NULL: none */
	int			driver;			/* 0 for the first x; its effect is known in both models */
	double		lift;			/* of that x, finite, of either sign */
	double		low;			/* ends of its scale, low < high; may be infinite */
	double		high;
	double		margin;			/* per customer and period, without a model of margins */
	double		margin_share;	/* with one: what part of its response is margin */
	double		rate;			/* of discount, per period, above -1 */
	double		horizon;		/* periods, a whole number from 1 on or INFINITY */
	double		customers;		/* how many the return is for */
	double		cost;			/* not negative */
	double		conf;
	double		churn_df;		/* of Student's t for what the churn model alone says; NAN: normal */
	double		df;				/* for the rest */
} LiftQuestion;

typedef struct LiftProjection
{
	double		estimate[LIFT_QUANTITIES];	/* NAN: not defined */
	Estimate	interval[LIFT_QUANTITIES];	/* NAN: none */
	double		off_scale;		/* (LIFT_OFF_SCALE) a value of the driver beyond its scale */
	double		beyond_share;	/* of customers whose probability a linear model puts beyond 0 or 1: it is cut */
	double		room;			/* the longest way of a customer to the end of the scale, of the sign of the lift */
} LiftProjection;

typedef enum LiftStatus
{
	LIFT_PROJECTED,
	LIFT_STOPPED,
	LIFT_OFF_SCALE,				/* the driver of some customer lies outside its scale already */
	LIFT_ENDLESS				/* value without end, or beyond a double: neither churn nor discount, or huge margins */
} LiftStatus;

/*
 * Projects the lift onto rows that have x before their values, at least one. A customer with a probability p of churn
 * and a margin m a period, the first at once, has the value m * sum over t < horizon of ((1 - p) / (1 + rate))^t (Gupta
 * and Lehmann 2003), before and after the lift; means over customers are of values, not values of mean customers.
 * Standard errors by the delta method with analytic derivatives in the parameters of both models, which are taken to be
 * independent; customers, margin, rate and cost are taken as known. Intervals and the probability of break-even are
 * normal, or of Student's t; intervals of churn by a logistic model are so on the logit scale. The standard error of
 * the required lift is of an implicit function; its interval ends at the lifts at which the ends of that of net are 0
 * (Fieller 1954), and has no end where none on the scale is. Without a covariance, and for what the parameters do not
 * change, there is none: NAN, not 0. stop may be NULL.
 */
extern LiftStatus project_lift(const LiftQuestion *q, const Rows *rows, const FitStop *stop, LiftProjection *p);

/*
 * Derivative of value_of_margins(1, retention, rate, periods, first_at_1 = 0) in the retention: sum over t < periods of
 * t retention^(t - 1) / (1 + rate)^t, for retention in 0 to 1 and rate > -1.
 */
extern double value_slope_in_retention(double retention, double rate, double periods);

#endif
