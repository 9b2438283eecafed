# lib.sh - what script/test, script/demo and bench/run share: install what is missing, build, and run a
# throwaway PostgreSQL. Sourced, not run. Needs bash; on Debian and Ubuntu missing packages are installed
# with apt, elsewhere they are named.
#
# PG_CONFIG=/path/to/pg_config chooses the PostgreSQL; otherwise the newest supported one that is installed.
# shellcheck shell=bash

set -Eeuo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
OLDEST_PG=15
NEWEST_PG=18
WORK=                   # temporary folder of this run, owned by the unprivileged user
SERVER_DATA=            # data directory of the throwaway server while it runs
KEEP=${KEEP:-}          # not empty: leave WORK and the server
AS_USER=()              # prefix that steps down to the unprivileged user

# ---- messages -----------------------------------------------------------------------------------

# Progress goes to standard error, so that reports can be piped.
say() {
    printf '[%3ds] %s\n' "$SECONDS" "$*" >&2
}

die() {
    printf '\n%s: %s\n' "$(basename "$0")" "$1" >&2
    shift
    [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
    exit 1
}

# quietly LOG COMMAND...: run with the output in a file, shown only if it fails.
quietly() {
    local log=$1
    shift
    if ! "$@" >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        return 1
    fi
}

# ---- packages -----------------------------------------------------------------------------------

# can these headers be included, in this order?
has_header() {
    printf '#include <%s>\n' "$@" | "${CC:-cc}" -E -x c - >/dev/null 2>&1
}

is_supported() {
    [[ $1 =~ ^[0-9]+$ ]] && [ "$1" -ge "$OLDEST_PG" ] && [ "$1" -le "$NEWEST_PG" ]
}

# Set PG_CONFIG, PG_MAJOR and PG_BIN to the wanted or newest installed server; false if there is none.
# Only those with the server's programs count: the client packages bring a pg_config, too.
find_server() {
    local candidate bin major best=0
    local candidates=("${PG_CONFIG:-}")

    [ -n "${PG_CONFIG:-}" ] ||
        candidates=(/usr/lib/postgresql/*/bin/pg_config "$(command -v pg_config || true)")
    for candidate in "${candidates[@]}"; do
        [ -x "$candidate" ] || continue
        bin=$("$candidate" --bindir)
        major=$("$candidate" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/')
        if is_supported "$major" && [ "$major" -gt "$best" ] && [ -x "$bin/initdb" ]; then
            best=$major
            PG_MAJOR=$major
            PG_BIN=$bin
            FOUND_PG_CONFIG=$candidate
        fi
    done
    if [ "$best" = 0 ]; then
        [ -z "${PG_CONFIG:-}" ] ||
            die "PG_CONFIG=$PG_CONFIG is no pg_config of a PostgreSQL $OLDEST_PG to $NEWEST_PG with its server programs."
        return 1
    fi
    PG_CONFIG=$FOUND_PG_CONFIG
}

# The newest supported server that apt knows.
server_in_apt() {
    local major
    for ((major = NEWEST_PG; major >= OLDEST_PG; major--)); do
        if [ -n "$(apt-cache madison "postgresql-server-dev-$major" 2>/dev/null)" ]; then
            echo "$major"
            return
        fi
    done
    return 1
}

# Fill MISSING with the packages that are not there; the parts a script needs are its arguments.
find_missing() {
    local part major
    MISSING=()
    for part in "$@"; do
        case $part in
            build)
                command -v make >/dev/null || MISSING+=(make)
                if ! command -v "${CC:-cc}" >/dev/null; then
                    MISSING+=(gcc libc6-dev libgsl-dev)
                else
                    has_header stdlib.h || MISSING+=(libc6-dev)
                    has_header gsl/gsl_version.h || MISSING+=(libgsl-dev)
                fi
                ;;
            server)
                if find_server; then
                    [ -e "$("$PG_CONFIG" --includedir-server)/postgres.h" ] || MISSING+=("postgresql-server-dev-$PG_MAJOR")
                else
                    major=$(server_in_apt || echo N)
                    MISSING+=("postgresql-$major" "postgresql-server-dev-$major")
                fi
                ;;
            tests)
                { command -v "${CC:-cc}" >/dev/null && has_header setjmp.h cmocka.h; } ||
                    MISSING+=(libcmocka-dev)
                command -v prove >/dev/null || MISSING+=(perl)
                perl -MIPC::Run -e 1 2>/dev/null || MISSING+=(libipc-run-perl)
                ;;
            suite)
                command -v debootstrap >/dev/null || MISSING+=(debootstrap)
                [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || MISSING+=(debian-archive-keyring)
                ;;
        esac
    done
}

# need PART...: install whatever of build, server, tests, suite is missing.
need() {
    local as_root=()
    find_missing "$@"
    if [ ${#MISSING[@]} -gt 0 ]; then
        command -v apt-get >/dev/null ||
            die "something is missing, and this is no Debian or Ubuntu where it could be installed with apt." \
                "Named as Debian names them: ${MISSING[*]}"
        if [ "$(id -u)" != 0 ]; then
            command -v sudo >/dev/null ||
                die "some packages are missing; installing them takes root or sudo." \
                    "Have an administrator run: apt-get install ${MISSING[*]}" \
                "(where it says N: a version from $OLDEST_PG to $NEWEST_PG)"
            as_root=(sudo)
        fi
        install_missing "$@"
        find_missing "$@"
        [ ${#MISSING[@]} -eq 0 ] || die "still missing after the installation: ${MISSING[*]}"
    fi
}

install_missing() {
    local log
    log=$(mktemp)

    # Package lists may be absent (fresh container) or too old: refresh them only when that shows. One
    # source out of order must not stop the rest, so only the installation decides.
    if ! apt-get install --simulate "${MISSING[@]}" >/dev/null 2>&1; then
        say "refreshing the package lists"
        "${as_root[@]}" apt-get update >"$log" 2>&1 || true
        find_missing "$@"
        case " ${MISSING[*]} " in
            *" postgresql-N "*) die "apt offers no PostgreSQL $OLDEST_PG to $NEWEST_PG here." "$(tail -n 3 "$log")" ;;
        esac
    fi
    say "installing ${MISSING[*]}"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y "${MISSING[@]}" >"$log" 2>&1 || {
        tail -n 15 "$log" >&2
        die "the packages could not be installed: ${MISSING[*]}"
    }
    rm -f "$log"
}

# want PACKAGE...: install those that are missing and can be had; whoever uses them goes without if not.
want() {
    local package as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    for package in "$@"; do
        dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed && continue
        command -v apt-get "${as_root[@]}" >/dev/null || continue
        apt-get install --simulate "$package" >/dev/null 2>&1 || "${as_root[@]}" apt-get update >/dev/null 2>&1 || true
        say "installing $package"
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y "$package" >/dev/null 2>&1 ||
            say "$package cannot be had; its tests are skipped"
    done
}

# ---- a place to work ----------------------------------------------------------------------------

# PostgreSQL refuses to run as root: then everything is built and run as 'postgres', or 'nobody'.
choose_user() {
    local user=postgres
    [ "$(id -u)" = 0 ] || return 0
    id "$user" >/dev/null 2>&1 || user=nobody
    AS_USER=(setpriv "--reuid=$user" "--regid=$(id -gn "$user")" --init-groups env "HOME=/nonexistent" "USER=$user" "LOGNAME=$user")
}

as_user() {
    "${AS_USER[@]}" "$@"
}

# Make WORK, which the unprivileged user owns and nobody else may enter.
make_work() {
    local base
    choose_user
    for base in "${TMPDIR:-/tmp}" /tmp; do
        WORK=$(mktemp -d "$base/clv.XXXXXX")
        if [ "$(id -u)" = 0 ]; then
            chown "$(as_user id -u):$(as_user id -g)" "$WORK"
        fi
        # the unprivileged user must get there, and a socket's path is limited to some 100 bytes
        if [ ${#WORK} -lt 70 ] && as_user test -w "$WORK"; then
            trap 'cleanup $?' EXIT
            trap 'exit 130' INT
            trap 'exit 143' TERM HUP
            return
        fi
        rmdir "$WORK"
    done
    die "no temporary folder that $(as_user id -un) can write to" "Set TMPDIR to one."
}

cleanup() {
    local status=$1
    trap - EXIT
    if [ -z "$KEEP" ]; then
        stop_server
        rm -rf "$WORK"
    fi
    exit "$status"
}

# copy_source FOLDER: the source tree without what a build or a test leaves behind, owned by the user.
copy_source() {
    as_user mkdir -p "$1"
    tar -C "$ROOT" --exclude-vcs --anchored \
        --exclude=./tmp_install --exclude=./tmp_check --exclude=./results --exclude=./output_iso --exclude=./build \
        --exclude=./fuzz/build --exclude=./test/build --exclude=./bench/results --no-anchored \
        --exclude='*.o' --exclude='*.bc' --exclude='*.so' -cf - . |
        as_user tar -C "$1" --no-same-owner -xf -
}

# build FOLDER [MAKE-ARGUMENT...]: build the tree in FOLDER and install it into FOLDER/tmp_install.
build() {
    local tree=$1
    shift
    local arguments=("PG_CONFIG=$PG_CONFIG" "$@")
    local clang
    clang=$(sed -n 's/^CLANG *= *//p' "$(dirname "$("$PG_CONFIG" --pgxs)")/../Makefile.global")

    # no bitcode for the JIT where the compiler that PostgreSQL asks for is not there
    command -v "${clang:-none}" >/dev/null || arguments+=(with_llvm=no)
    (cd "$tree" && as_user make "${arguments[@]}") &&
        (cd "$tree" && as_user make install "DESTDIR=$tree/tmp_install" "${arguments[@]}")
}

# ---- a throwaway server -------------------------------------------------------------------------

# How the server finds an extension below a folder instead of in its own: the newer setting of
# PostgreSQL 18, or the one that Debian and Ubuntu have added to 15, 16 and 17.
extension_settings() {
    local install=$1
    if [ "$PG_MAJOR" -ge 18 ]; then
        echo "extension_control_path = '$install$("$PG_CONFIG" --sharedir):\$system'"
    elif [[ $(as_user "$PG_BIN/postgres" --describe-config) == *extension_destdir* ]]; then
        echo "extension_destdir = '$install'"
    else
        die "this PostgreSQL $PG_MAJOR can load no extension from a temporary folder." \
            "PostgreSQL 18 can, and so can the 15, 16 and 17 of Debian and Ubuntu."
    fi
    echo "dynamic_library_path = '$install$("$PG_CONFIG" --pkglibdir):\$libdir'"
}

# start_server NAME INSTALL-FOLDER [SETTING...]: a new cluster in WORK/NAME, its socket in WORK, superuser
# postgres. Sets PGHOST, PGPORT, PGUSER, PGDATABASE for what is run afterwards, and SERVER_LOG.
start_server() {
    local name=$1 install=$2
    shift 2
    SERVER_LOG=$WORK/server-$name.log
    quietly "$WORK/initdb.log" as_user "$PG_BIN/initdb" -D "$WORK/$name" -A trust -U postgres -E UTF8 --no-locale -N ||
        die "initdb failed"
    {
        echo "listen_addresses = ''"
        echo "unix_socket_directories = '$WORK'"
        echo "fsync = off"
        [ -z "$install" ] || extension_settings "$install"
        [ $# -eq 0 ] || printf '%s\n' "$@"
    } | as_user tee -a "$WORK/$name/postgresql.conf" >/dev/null
    # its environment is the server's, for COPY and TZ alike: keep it plain
    if ! (cd / && as_user "$PG_BIN/pg_ctl" -D "$WORK/$name" -l "$SERVER_LOG" -w -s start) >&2; then
        tail -n 20 "$SERVER_LOG" >&2 || true
        die "the throwaway PostgreSQL did not start"
    fi
    SERVER_DATA=$WORK/$name
    export PGHOST=$WORK PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
    unset PGSERVICE PGPASSWORD PGOPTIONS PGSSLMODE PGDATESTYLE PGTZ PGCLIENTENCODING
}

stop_server() {
    [ -n "$SERVER_DATA" ] || return 0
    (cd / && as_user "$PG_BIN/pg_ctl" -D "$SERVER_DATA" -m fast -w -s stop) >/dev/null 2>&1 ||
        (cd / && as_user "$PG_BIN/pg_ctl" -D "$SERVER_DATA" -m immediate -w -s stop) >/dev/null 2>&1 || true
    SERVER_DATA=
}
