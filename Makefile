# clv: customer lifetime value inside PostgreSQL. Built with PGXS:
#
#   make && make install                           against the pg_config on the PATH
#   make PG_CONFIG=/usr/lib/postgresql/17/bin/pg_config
#   make -f /path/to/clv/Makefile VPATH=/path/to/clv      out of tree, as pg_buildext does
#
# script/test sets up and runs every test; `make installcheck` alone runs the SQL tests against a running server
# that has the extension installed.

EXTENSION  = clv
MODULE_big = clv
DATA       = clv--1.0.sql
PGFILEDESC = "clv - customer lifetime value"

src_dir := $(patsubst %/,%,$(dir $(firstword $(MAKEFILE_LIST))))

ROOMS := $(sort $(notdir $(basename $(wildcard $(src_dir)/src/*.c))))
MATH  := $(sort $(notdir $(basename $(wildcard $(src_dir)/src/math/*.c))))
OBJS  = $(ROOMS:%=src/%.o) $(MATH:%=src/math/%.o)

# META.json is the single source of the version: 1.2.3 becomes 10203.
version := $(subst ., ,$(shell sed -n 's/^   "version": "\(.*\)",$$/\1/p' $(src_dir)/META.json))
version_num := $(shell printf '%d%02d%02d' $(version))

PG_CPPFLAGS = -I$(src_dir)/include -DCLV_VERSION_NUM=$(version_num)
# No fused multiply-add, so that a number does not depend on the processor; hidden symbols, so that none of ours
# meets a namesake of another extension. The warnings switched off are those of PostgreSQL's own headers.
PG_CFLAGS   = -std=gnu11 -fvisibility=hidden -ffp-contract=off -Wall -Wextra \
              -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers -Wno-declaration-after-statement
SHLIB_LINK  = -lgsl -lgslcblas -lm

REGRESS      = setup value history sample rfm model btyd family forecast validation quality rolling support trace coverage \
               moments lm logit survival cox impact projection effect nightly sources mart mart_customers mart_drivers mart_numbers catalog
REGRESS_OPTS = --inputdir=$(src_dir)
ISOLATION    = refresh mart_refresh
ISOLATION_OPTS = --inputdir=$(src_dir)
TAP_TESTS    = 1

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# An out-of-tree build needs the folders of its objects.
ifneq ($(src_dir),.)
$(shell mkdir -p $(sort $(dir $(OBJS))))
endif

# Every object depends on every header: the headers are few and a stale struct layout is a crash.
HEADERS := $(wildcard $(src_dir)/include/*.h $(src_dir)/include/math/*.h)
$(OBJS): $(HEADERS)
$(OBJS:.o=.bc): $(HEADERS)
