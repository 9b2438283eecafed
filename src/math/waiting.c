/*
 * waiting.c - the median of a waiting time.
 */
#include "math/waiting.h"

#include <math.h>

double
median_wait(SilenceOfSteps silence, void *arg, double silent, double most, const FitStop *stop)
{
	double		half = (1 - silent) / 2;
	double		low = 0;		/* too few steps */
	double		high = most + 1;	/* enough, or more than there are */

	if (isnan(silent))
		return NAN;
	if (2 * half < LEAST_PURCHASE_PROBABILITY)
		return 0;
	while (high - low > 1)
	{
		double		middle = floor((low + high) / 2);
		double		bought = 1 - silence(middle, arg);

		if (isnan(bought) || (stop != NULL && stop->requested(stop->arg)))
			return NAN;
		if (bought >= half)
			high = middle;
		else
			low = middle;
	}
	return high <= most ? high : 0;
}
