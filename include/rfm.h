/*
 * rfm.h - what the files of the rfm room share: the forms in which a customer comes, and scores as text.
 */
#ifndef CLV_RFM_H
#define CLV_RFM_H

#include "common.h"

#include "math/rfm.h"
#include "math/rows.h"

#define RFM_DEFAULT_BINS 5
#define RFM_MOST_ARGUMENTS 3	/* of a form */

/*
 * One form in which SQL says who a customer is. read() fills the three columns behind RFM_ROW_VALUES of a row and,
 * where the form has one, the date at which it was taken; false where there is nothing to score. No argument is NULL.
 */
typedef struct RfmForm
{
	int			nargs;
	bool		(*read) (const NullableDatum *args, double *row, DateADT *as_of);
} RfmForm;

extern const RfmForm rfm_numbers;	/* (days_since_last, frequency, monetary) */
extern const RfmForm rfm_interval;	/* the same, recency an interval: a month counts 30 days */
extern const RfmForm rfm_history;	/* (history, as_of date) */
extern const RfmForm rfm_history_tz;	/* (history, as_of timestamptz) */

/*
 * A row of ROWS_RFM with that number of bins, checked: a number that cannot be true is an error. False where an
 * argument is NULL or there is nothing to score. as_of is left alone where the form has no date.
 */
extern bool rfm_row(const RfmForm *form, const NullableDatum *args, int bins, double *row, DateADT *as_of);

/* The scores of a row as text such as 543. */
extern Datum rfm_score_text(const RfmBreaks *breaks, const double *row);

#endif
