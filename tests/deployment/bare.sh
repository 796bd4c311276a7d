#!/usr/bin/env bash
# Proves the two commands of the README on a bare machine: Debian 12 with python3, python3-venv, make, git and no more.
#
#   tests/deployment/bare.sh              make test, then make run, as an ordinary user; then the same as root
#   tests/deployment/bare.sh COMMAND …    this command instead, as an ordinary user; with BARE_USER=root as root
#
# Needs root, git and debootstrap, which makes the machine once: in BARE_ROOT (/var/tmp/slomix-bare, a third of a
# gigabyte, yours to remove). Each round gets a copy of it with a clone of the last commit, in mount, PID and IPC
# namespaces of its own: processes and mounts end with it, and nothing of this machine's files can be seen. With
# BARE_KEEP=1 the machine of the last round is used once more, as after a reboot, and nothing is cloned.
# The network is this machine's, with all its ports (PORT=… moves those of make run), and so is the way to the
# registries of apt, pip and npm: sources, proxies, certificates, local folders.
set -euo pipefail
PROJECT=$(cd "$(dirname "$0")/../.." && pwd)
BARE_ROOT=$(realpath -m "${BARE_ROOT:-/var/tmp/slomix-bare}")
BASE=$BARE_ROOT/base MACHINE=$BARE_ROOT/machine INSIDE=/home/dev/slomix

die() { echo "bare.sh: $*" >&2; exit 1; }
namespaces() { unshare --mount --ipc --pid --fork --kill-child "$@"; }

# What pip, npm and their transports read from the environment.
registry_environment() {
  env | grep -iE '^((https?|no|all)_proxy|(ssl|curl|requests|node|pip|git)_[a-z_]*(cert|ca)[a-z_]*|pip_(extra_)?index_url|pip_(find_links|trusted_host|default_timeout)|npm_config_(registry|cafile|(https?_)?proxy|noproxy|strict_ssl))=' || true
}

# pip's and npm's own files, without what is nobody else's business (passwords and tokens stay here).
registry_files() {
  python3 -m pip config list 2>/dev/null | sed -nE \
    "s/\\\\n/ /g; 1i [global]
     s/^global\.((extra-)?index-url|find-links|trusted-host|proxy|cert|default-timeout)='(.*)'\$/\1 = \3/p" >"$1/etc/pip.conf" || true
  cat /etc/npmrc /usr/etc/npmrc ~/.npmrc 2>/dev/null |
    grep -E '^((@[^:]+:)?registry|cafile|(https-)?proxy|noproxy|strict-ssl) *=' >"$1/root/.npmrc" || true
  cp "$1/root/.npmrc" "$1/home/dev/.npmrc"
}

# Certificates and package folders that these name lie here at the same place.
registry_paths() { # ROOT
  { echo /etc/ssl/certs; registry_environment; cat "$1/etc/pip.conf" "$1/root/.npmrc"; } |
    grep -oE '(^|[ =]|file://)/[^ ]+' | sed -E 's#^(.*file://|[ =])##; s#/simple/?$##' | sort -u
}

build() {
  command -v debootstrap >/dev/null || die "debootstrap is missing: apt-get install debootstrap"
  local mirror r=$BARE_ROOT/unfinished
  rm -rf --one-file-system "$r"; mkdir -p "$r"
  echo "Making the machine: a few minutes, once"
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' 2>/dev/null | head -1)
  namespaces debootstrap --variant=minbase --include=python3,python3-venv,make,git,ca-certificates \
    bookworm "$r" ${mirror:+"$mirror"} >"$BARE_ROOT/log" || die "debootstrap failed: $BARE_ROOT/log"
  chroot "$r" useradd --create-home --shell /bin/bash dev
  mv "$r" "$BASE"
}

# A new machine with a clone of the last commit, which belongs to the user $1.
renew() {
  [ -d "$BASE" ] || build
  rm -rf --one-file-system "$MACHINE"; cp -a "$BASE" "$MACHINE"
  registry_files "$MACHINE"
  cp -L /etc/resolv.conf /etc/hosts "$MACHINE/etc/"
  git clone --quiet "$PROJECT" "$MACHINE$INSIDE"
  chroot "$MACHINE" chown -R "$1:" $INSIDE
}

# Runs in the namespaces: mounts what a machine has, and becomes the user.
inside() { # USER COMMAND…
  local user=$1 home=/root path; shift
  [ "$user" = root ] || home=/home/$user
  mount --make-rprivate /
  mount -t proc proc "$MACHINE/proc"
  mount -t sysfs -o ro sysfs "$MACHINE/sys"
  mount -t tmpfs -o mode=755 tmpfs "$MACHINE/dev"
  mkdir "$MACHINE/dev/"{pts,shm}
  cp -a /dev/{null,zero,full,random,urandom,tty} "$MACHINE/dev/"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$MACHINE/dev/pts"
  for path in pts/ptmx:ptmx /proc/self/fd:fd fd/0:stdin fd/1:stdout fd/2:stderr; do
    ln -s "${path%:*}" "$MACHINE/dev/${path#*:}"
  done
  for path in /dev/shm /tmp /run; do mount -t tmpfs -o mode=1777 tmpfs "$MACHINE$path"; done
  registry_paths "$MACHINE" | while read -r path; do
    [ -e "$path" ] || continue
    if [ -d "$path" ]; then mkdir -p "$MACHINE$path"; else mkdir -p "$MACHINE${path%/*}"; fi
    [ -e "$MACHINE$path" ] || touch "$MACHINE$path"
    mount --bind -o ro "$path" "$MACHINE$path"
  done
  mapfile -t registry < <(registry_environment)
  exec env -i HOME="$home" USER="$user" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    ${PORT:+PORT="$PORT"} "${registry[@]}" chroot --userspec="$user:$user" --groups="" "$MACHINE" \
    sh -c "cd $INSIDE && exec \"\$@\"" sh "$@"
}

round() { # USER COMMAND…
  [ -n "${BARE_KEEP:-}" ] && [ -d "$MACHINE" ] || renew "$1"
  namespaces "$0" _inside "$@"
}

# make run, until it says that all is well; Ctrl-C then has to end it without a complaint.
RUNS=$(cat <<'END'
import os, signal, subprocess, sys, time, urllib.request
page = f"http://127.0.0.1:{os.environ.get('PORT', '7000')}/health"
begun = time.monotonic()
run = subprocess.Popen(["make", "run"], start_new_session=True)
while True:
    if run.poll() is not None or time.monotonic() - begun > 900:
        sys.exit(f"make run does not become healthy: {run.returncode}")
    try:
        if urllib.request.urlopen(page, timeout=5).status == 200:
            break
    except OSError:
        time.sleep(0.5)
print(f"make run is healthy after {time.monotonic() - begun:.0f} s", flush=True)
os.killpg(run.pid, signal.SIGINT)
sys.exit(run.wait(60) not in (0, 130, -signal.SIGINT))
END
)

[ "$(id -u)" = 0 ] || die "needs root"
if [ "${1:-}" = _inside ]; then shift; inside "$@"; fi
mkdir -p "$BARE_ROOT"
exec 9>"$BARE_ROOT/.lock"; flock -n 9 || die "$BARE_ROOT is in use"
if [ $# -gt 0 ]; then round "${BARE_USER:-dev}" "$@"; exit; fi
for user in dev root; do
  unset BARE_KEEP
  for proof in test run; do
    echo "== make $proof as $user"
    if [ $proof = test ]; then round $user make test; else BARE_KEEP=1 round $user python3 -c "$RUNS"; fi
  done
done
echo "Both commands hold on a bare machine, as an ordinary user and as root."
