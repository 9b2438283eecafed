# suite.sh - script/test inside a freshly made Debian of another release. Sourced by script/test --suite.
# shellcheck shell=bash
#
# Everything is mounted in a mount namespace of its own, so that nothing of the host is ever mounted below
# the folder once the run has ended, however it ends, and deleting the folder is always safe.

test_in_suite() {
    local system=$CACHE/$SUITE data golden
    local options=()

    case $SUITE in
        *[!a-z]*) die "'$SUITE' is no name of a Debian release" ;;
    esac
    [ "$(id -u)" = 0 ] || die "--suite makes a chroot, which takes root." "Run: sudo script/test --suite $SUITE"
    need suite
    make_system "$system"

    data=$(realpath -m "${CLV_DATA:-$ROOT/../shared/data}")
    golden=$(realpath -m "${CLV_GOLDEN:-$ROOT/../shared/golden}")
    [ -n "$UBSAN" ] || options+=(--no-ubsan)
    say "testing in $system"
    # $1 to $4 are for the inner shell
    # shellcheck disable=SC2016
    in_system "$system" '
        mkdir -p "$1/clv" "$1/clv-data" "$1/clv-golden"
        mount --bind -o ro "$2" "$1/clv"
        [ ! -d "$3" ] || mount --bind -o ro "$3" "$1/clv-data"
        [ ! -d "$4" ] || mount --bind -o ro "$4" "$1/clv-golden"
        shift 4
        exec chroot "$system" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 CLV_DATA=/clv-data CLV_GOLDEN=/clv-golden \
            ${http_proxy:+"http_proxy=$http_proxy"} /clv/script/test "$@"
    ' "$ROOT" "$data" "$golden" "${options[@]}"
}

# in_system FOLDER SCRIPT [ARGUMENT...]: run the shell script, $1 being the folder, with /proc and shared
# memory there; processes left over are killed and all mounts gone at the end.
in_system() {
    local system=$1 script=$2
    shift 2
    unshare --mount --propagation private --pid --fork --kill-child bash -euc "
        system=\$1
        mount -t proc proc \"\$system/proc\"
        mkdir -p \"\$system/dev/shm\"
        mount -t tmpfs tmpfs \"\$system/dev/shm\"
        $script
    " bash "$system" "$@"
}

# A minimal system is made under another name and renamed when it is whole.
make_system() {
    local system=$1
    [ -z "$FRESH" ] || rm -rf "$system"
    if [ -d "$system" ]; then
        say "using $system (--fresh makes it anew)"
        return
    fi
    say "making a minimal Debian $SUITE in $system (about a minute)"
    rm -rf "$system.part"
    mkdir -p "$system.part"
    chmod 755 "$system.part"
    quietly "$system.part.log" debootstrap --variant=minbase "$SUITE" "$system.part" ||
        die "debootstrap could not make $SUITE; its log: $system.part/debootstrap/debootstrap.log"
    rm -f "$system.part.log"
    # no service starts in there, and PostgreSQL's package makes no cluster
    printf '#!/bin/sh\nexit 101\n' >"$system.part/usr/sbin/policy-rc.d"
    chmod 755 "$system.part/usr/sbin/policy-rc.d"
    mkdir -p "$system.part/etc/postgresql-common"
    echo 'create_main_cluster = false' >"$system.part/etc/postgresql-common/createcluster.conf"
    mv "$system.part" "$system"
}
