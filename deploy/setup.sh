#!/bin/sh
# Set-up: Debian packages, then Python packages from the hashed lock into .venv.
#
#     deploy/setup.sh run     what running needs
#     deploy/setup.sh test    that, and what the tests need
#
# Does nothing when the stamp in .venv says that this very set-up is done. A set-up
# that was killed is found by its marker and made again. Two at once take turns.
# Package sources are those that apt, pip and uv are configured with on this machine.
# Exit status: 0 done, 2 wrong argument, 5 the machine lacks something.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
deploy=$root/deploy
venv=$root/.venv
profile=${1:-run}

case $profile in
    run | test) ;;
    *)
        echo "setup.sh: 'run' or 'test' is wanted, not '$profile'" >&2
        exit 2
        ;;
esac
unfinished=$venv/.unfinished
home=$venv/.made-in
# Names are separated by newlines alone, because the checkout's path may hold blanks.
IFS='
'

# Prints the files that list a profile's Debian packages.
lists_of() {
    printf '%s\n' "$deploy/apt-packages.txt"
    [ "$1" = run ] || printf '%s\n' "$deploy/apt-packages-test.txt"
}

# Prints what the stamp of a profile must say. It covers the folder too, because a
# virtual environment does not survive a move.
stamp_of() {
    {
        printf '%s\n' "$root"
        cat $(lists_of "$1") "$deploy/requirements.lock" "$deploy/bootstrap.lock" \
            "$deploy/setup.sh"
    } | sha256sum
}

is_done() {
    [ -x "$venv/bin/python" ] && [ ! -e "$unfinished" ] && [ -r "$venv/.setup-stamp-$1" ] ||
        return 1
    read -r found <"$venv/.setup-stamp-$1" && [ "$found" = "$(stamp_of "$1")" ]
}

say() {
    printf '[set-up] %s\n' "$1" >&2
}

# Ends with one line that says what happened and one that says what to do.
give_up() {
    say "$1"
    say "$2"
    exit 5
}

is_installed() {
    dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

# Prints what is missing, one package a line. A line of a list may name
# alternatives, a|b, because Ubuntu 24.04 renamed some libraries.
missing_packages() {
    sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' $(lists_of "$profile") | while read -r line; do
        present=
        known=
        for name in $(printf '%s\n' "$line" | tr '|' '\n'); do
            if is_installed "$name"; then
                present=$name
                break
            fi
            if [ -z "$known" ] && apt-cache show --no-all-versions "$name" >/dev/null 2>&1; then
                known=$name
            fi
        done
        [ -n "$present" ] || printf '%s\n' "${known:-${line%%|*}}"
    done
}

install_packages() {
    command -v dpkg-query >/dev/null 2>&1 || give_up \
        "本程序在 Debian 12 或 Ubuntu 24.04 上安装。 This sets itself up on Debian 12 or Ubuntu 24.04." \
        "本机没有 dpkg。 There is no dpkg on this machine."
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0

    list=$(printf '%s ' $missing)
    say "系统软件包 Debian packages: $list"
    say "约 1 至 3 分钟，视网络而定。 About 1 to 3 minutes, depending on the network."
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 || refuse_packages "$list"
        # A person at a terminal may type the password; a service must not hang on it.
        if sudo -n true 2>/dev/null; then
            as_root='sudo
-n'
        elif [ -t 0 ]; then
            as_root=sudo
        else
            refuse_packages "$list"
        fi
    fi
    apt_get update ||
        say "apt-get update 未成功，继续尝试。 apt-get update failed; trying all the same."
    # Renamed packages become known only once the lists are there.
    missing=$(missing_packages)
    apt_get install --no-install-recommends -y $missing || give_up \
        "系统软件包未能安装。 The Debian packages could not be installed." \
        "先运行 First run: apt-get install --no-install-recommends $list"
}

# Runs apt-get without a question; what it says is shown only when it fails.
apt_get() {
    said=$($as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq \
        -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@" 2>&1) && return 0
    printf '%s\n' "$said" >&2
    return 1
}

refuse_packages() {
    give_up "缺少系统软件包，且无权安装。 Debian packages are missing and this user may not install them." \
        "请管理员运行 Ask an administrator to run: apt-get install --no-install-recommends $1"
}

# The system's own Python first: an interpreter in somebody's home folder may vanish.
choose_python() {
    for candidate in /usr/bin/python3 python3 python3.11 python3.12 python3.13; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
            >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            return 0
        fi
    done
    return 1
}

make_venv() {
    if [ -e "$venv" ]; then
        # Killed half-way, moved, or without a usable interpreter: start from nothing.
        made_in=$root
        if [ -r "$home" ]; then
            read -r made_in <"$home" || :
        fi
        if [ ! -e "$unfinished" ] && [ "$made_in" = "$root" ] &&
            "$venv/bin/python" -c 'import sys' >/dev/null 2>&1; then
            : >"$unfinished"
            return 0
        fi
        rm -rf -- "$venv"
    fi
    python=$(choose_python) || give_up \
        "没有可用的 Python 3.11 或更新版本。 There is no Python 3.11 or newer with venv." \
        "先运行 First run: apt-get install python3 python3-venv"
    mkdir -- "$venv"
    : >"$unfinished"
    "$python" -m venv "$venv"
    printf '%s\n' "$root" >"$home"
}

# uv installs the lock ten times faster than pip does. It does not read pip's
# configuration, so an index that is configured for pip alone is handed on to it.
run_uv() {
    index=$("$venv/bin/python" -m pip config list 2>/dev/null |
        sed -n "s/^[^=]*\\.index-url='\\(.*\\)'\$/\\1/p" | tail -n 1) || index=
    if [ -n "$index" ] && [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
        UV_DEFAULT_INDEX=$index
        export UV_DEFAULT_INDEX
    fi
    "$venv/bin/uv" pip sync --quiet --compile-bytecode --python "$venv/bin/python" --require-hashes \
        "$deploy/requirements.lock"
}

install_python_packages() {
    say "Python 软件包：按锁定清单逐一核对哈希，装入 .venv，约 1.4 GB。"
    say "Python packages: from the hashed lock into .venv, about 1.4 GB, about a minute."
    make_venv
    if [ ! -x "$venv/bin/uv" ]; then
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
            -r "$deploy/bootstrap.lock" >&2 || give_up \
            "pip 未能装入 uv。 pip could not install uv." \
            "检查网络和 pip 的配置后再运行。 Check the network and pip's configuration, then run again."
    fi
    if ! run_uv >&2; then
        say "uv 未成功，改用 pip，约一分钟。 uv failed; trying pip, about a minute."
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
            --no-deps -r "$deploy/requirements.lock" >&2 || give_up \
            "Python 软件包未能安装。 The Python packages could not be installed." \
            "检查网络和 pip 的配置后再运行。 Check the network and pip's configuration, then run again."
    fi
}

is_done "$profile" && exit 0

# The lock is on this very file, so that it needs no file of its own.
exec 9<"$deploy/setup.sh"
flock 9
is_done "$profile" && exit 0

started=$(date +%s)
install_packages
# The Python packages are the same for both profiles.
is_done run || is_done test || install_python_packages
rm -f -- "$unfinished"
stamp_of "$profile" >"$venv/.setup-stamp-$profile"
[ "$profile" = run ] || stamp_of run >"$venv/.setup-stamp-run"
say "完成，用时 $(($(date +%s) - started)) 秒。 Done in $(($(date +%s) - started)) seconds."
