#!/bin/sh
# Sets up what serving and testing need. Safe to run again; quick when nothing has changed.
#
#   scripts/setup.sh system           Debian packages: the embedded translator, and venv support if it is missing
#   scripts/setup.sh python EXTRAS    a virtual environment in $VENV with Dragoman and its extras
#   scripts/setup.sh all EXTRAS       both, and with the extra `dev` Chromium and Redis, for the tests
#
# The container image is built with the same script, so what works here works there.
set -eu
cd "$(dirname "$0")/.."
PYTHON="${PYTHON:-python3}"
VENV="${VENV:-.venv}"
APERTIUM="apertium apertium-eng-spa apertium-es-pt apertium-fr-es"

say() { echo "setup: $*" >&2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

can_install() {
    command -v apt-get >/dev/null 2>&1 && { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null 2>&1; }
}

missing_packages() {
    for package in $APERTIUM; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
    done
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
}

system() {
    command -v dpkg-query >/dev/null 2>&1 || {
        say "this is not Debian: for translation install Apertium with English-Spanish, Spanish-Portuguese and"
        say "French-Spanish yourself; going on without"
        return 0
    }
    missing=$(missing_packages | tr '\n' ' ')
    [ -n "${missing% }" ] || return 0
    if can_install; then
        say "installing $missing"
        as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends $missing >/dev/null && return 0
    fi
    say "could not install: $missing"
    say "run this as root, then again: apt-get install $missing"
    say "going on without; translation will not work until then"
}

# Nothing that serves needs it, and its tests are skipped without it.
browser() {
    command -v chromium >/dev/null 2>&1 && return 0
    if can_install; then
        say "installing chromium, for the tests of the page"
        as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends chromium >/dev/null && return 0
    fi
    say "could not install chromium; the tests of the page in a browser are skipped"
}

# Nothing that serves alone needs it, and its tests are skipped without it.
redis() {
    command -v redis-server >/dev/null 2>&1 && return 0
    if can_install; then
        say "installing redis-server, for the tests of what several fronts share"
        # Set up, Debian would start it and keep it running; the tests start their own.
        as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
            apt-get install -y -qq --no-install-recommends redis-server >/dev/null && return 0
    fi
    say "could not install redis-server; the tests of a state that is shared are skipped"
}

python() {
    extras="$1"
    stamp="$VENV/.dragoman-setup"
    want="$(cksum <pyproject.toml) $(pwd) $("$PYTHON" --version 2>&1)"
    # What is there already stays: serving after testing installs nothing.
    if [ -f "$stamp" ] && [ "$(sed 1d "$stamp")" = "$want" ]; then
        there=$(sed -n 1p "$stamp")
        [ -n "$(lacking "$extras" "$there")" ] || return 0
        extras=$(echo "$there,$(lacking "$extras" "$there")" | sed 's/,$//')
    fi
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        say "Python 3.11 or newer is needed; $PYTHON is $("$PYTHON" --version 2>&1). Name another: make PYTHON=python3.12"
        exit 1
    }
    [ -x "$VENV/bin/python" ] || "$PYTHON" -m venv "$VENV" || {
        rm -rf "$VENV"
        say "cannot make a virtual environment; on Debian: apt-get install python3-venv"
        exit 1
    }
    say "installing Python packages into $VENV (a minute or two the first time)"
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check ${EDITABLE---editable} ".[$extras]"
    case ",$extras," in *,embedded,*)
        say "among them are voices of SVOX Pico (py-nanotts): Apache licence 2.0, but what they were made from was never"
        say "published. DRAGOMAN_ENGINES__PICO=false turns them off; docs/models.md has the rest" ;;
    esac
    printf '%s\n' "$extras" "$want" >"$stamp"
}

# Which of the first list are not in the second; lists have commas.
lacking() {
    for extra in $(echo "$1" | tr ',' ' '); do
        case ",$2," in *",$extra,"*) ;; *) printf '%s,' "$extra" ;; esac
    done
}

case "${1:-}" in
system) system ;;
python) python "${2:-embedded}" ;;
all)
    system
    case ",${2:-}," in *,dev,*) browser; redis ;; esac
    python "${2:-embedded}"
    ;;
*)
    sed -n '2,8p' "$0" >&2
    exit 2
    ;;
esac
