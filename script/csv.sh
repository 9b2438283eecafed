# csv.sh - find out how a CSV file of orders is written, and which columns are customer, time and amount.
# Sourced by script/demo, after lib.sh.
# shellcheck shell=bash
# shellcheck disable=SC2034     # the variables set here are read by script/demo

# open_csv FILE: set CSV_READ (a command that writes the file as UTF-8 with plain line ends, without a byte order
# mark), CSV_DELIMITER and CSV_HEADER (an array of column names).
open_csv() {
    local file=$1 encoding=UTF-8 header delimiter count best=0

    [ -e "$file" ] || die "there is no file $file"
    { [ -f "$file" ] && [ -r "$file" ]; } || die "$file cannot be read as a file"
    [ -s "$file" ] || die "$file is empty"
    case $(head -c 2 "$file" | od -An -tx1 | tr -d ' ') in
        fffe | feff) encoding=UTF-16 ;;
        *) iconv -f UTF-8 -t UTF-8 "$file" >/dev/null 2>&1 || encoding=WINDOWS-1252 ;;
    esac
    CSV_READ=(read_csv "$file" "$encoding")
    [ "$encoding" = UTF-8 ] || say "$(basename "$file") is not UTF-8; reading it as $encoding"

    header=$("${CSV_READ[@]}" 2>/dev/null | head -n 1 || true)
    for delimiter in ',' ';' $'\t' '|'; do
        split_csv "$header" "$delimiter"
        count=${#CSV_FIELDS[@]}
        if [ "$count" -gt "$best" ]; then
            best=$count
            CSV_DELIMITER=$delimiter
            CSV_HEADER=("${CSV_FIELDS[@]}")
        fi
    done
    [ "$best" -ge 3 ] ||
        die "the first line of $file does not look like the header of a table with customer, time and amount:" \
            "${header:0:200}" "Expected: column names separated by comma, semicolon, tab or |."
}

read_csv() {
    iconv -c -f "$2" -t UTF-8 "$1" | tr -d '\r\000' | sed '1s/^\xef\xbb\xbf//'
}

# rows without the header and without empty lines at the end
csv_rows() {
    "${CSV_READ[@]}" | awk 'NR == 1 { next }  /^$/ { empty++; next }  { for (; empty > 0; empty--) print ""; print }'
}

# split_csv LINE DELIMITER: set CSV_FIELDS; a field may be in double quotes, with "" for one
split_csv() {
    local line=$1 delimiter=$2 field='' quoted='' i c
    CSV_FIELDS=()
    for ((i = 0; i < ${#line}; i++)); do
        c=${line:i:1}
        if [ "$c" = '"' ]; then
            if [ -n "$quoted" ] && [ "${line:i+1:1}" = '"' ]; then
                field+=$c
                i=$((i + 1))
            elif [ -n "$quoted" ]; then
                quoted=
            else
                quoted=1
            fi
        elif [ "$c" = "$delimiter" ] && [ -z "$quoted" ]; then
            CSV_FIELDS+=("$field")
            field=
        else
            field+=$c
        fi
    done
    CSV_FIELDS+=("$field")
}

# customerId, "Customer ID" and CUSTOMER-ID are customer_id
plain_name() {
    sed -E 's/([a-z0-9])([A-Z])/\1_\2/g; s/[^A-Za-z0-9]+/_/g; s/^_|_$//g' <<<"$1" | tr '[:upper:]' '[:lower:]'
}

# Names taken for a column, the surest first; if none is there, a pattern that must fit a single column.
CUSTOMER_NAMES='customer_id customer_no customer_number customer_key cust_id client_id user_id account_id member_id
    buyer_id shopper_id household_id master_id customer customer_email kunden_nr kundennr
    kunden_id kundennummer kunde client user account member buyer email id'
CUSTOMER_PATTERN='customer|client|cust_|user'
TIME_NAMES='ordered_at order_date order_time order_datetime order_purchase_timestamp purchased_at purchase_date
    purchase_time invoice_date transaction_date transaction_time transaction_timestamp sale_date sales_date date
    datetime date_time timestamp time day datum bestelldatum rechnungsdatum paid_at created_at created'
TIME_PATTERN='date|time|_at$|day'
AMOUNT_NAMES='amount net_amount order_amount total_amount amount_total total order_total total_price grand_total
    order_value dollar_value total_value value revenue net_revenue sales net_sales spend payment_value payment
    turnover sum price betrag umsatz'
AMOUNT_PATTERN='amount|total|revenue|value|sales|spend|turnover'

# find_column WHAT WANTED NAMES PATTERN: set COLUMN to the number (from 1) of the column
find_column() {
    local what=$1 wanted=$2 names=$3 pattern=$4 name i
    local found=()
    COLUMN=
    if [ -n "$wanted" ]; then
        for ((i = 0; i < ${#CSV_HEADER[@]}; i++)); do
            [ "${CSV_HEADER[i]}" != "$wanted" ] || found+=("$i")
        done
        [ ${#found[@]} -gt 0 ] || no_column "there is no column '$wanted' for the $what"
        COLUMN=$((found[0] + 1))
        return
    fi
    for name in $names; do
        for ((i = 0; i < ${#CSV_HEADER[@]}; i++)); do
            if [ "$(plain_name "${CSV_HEADER[i]}")" = "$name" ]; then
                COLUMN=$((i + 1))
                return
            fi
        done
    done
    for ((i = 0; i < ${#CSV_HEADER[@]}; i++)); do
        if plain_name "${CSV_HEADER[i]}" | grep -qE "$pattern"; then
            found+=("$i")
        fi
    done
    [ ${#found[@]} = 1 ] || no_column "which column is the $what?"
    COLUMN=$((found[0] + 1))
}

no_column() {
    local names
    names=$(printf '"%s"  ' "${CSV_HEADER[@]}")
    die "$1" "The file has the columns  $names" \
        "Name them:  script/demo FILE --customer COLUMN --time COLUMN --amount COLUMN"
}

# Set CUSTOMER, TIME and AMOUNT, the numbers of the columns; the arguments are names given by the user, or empty.
choose_columns() {
    find_column customer "$1" "$CUSTOMER_NAMES" "$CUSTOMER_PATTERN"
    CUSTOMER=$COLUMN
    find_column "time of the order" "$2" "$TIME_NAMES" "$TIME_PATTERN"
    TIME=$COLUMN
    find_column amount "$3" "$AMOUNT_NAMES" "$AMOUNT_PATTERN"
    AMOUNT=$COLUMN
}

column_name() {
    printf '%s' "${CSV_HEADER[$1 - 1]}"
}
