#!/bin/bash
# Tests hoist on a fresh machine like those of users: systemd, cgroup v2 only, AppArmor.
#
#   LAB=/path/to/lab tests/vm/machine.sh path/to/hoist
#
# LAB contains `reset.sh` (resets the machine), `ssh.sh [-u USER] COMMAND` (as root, or as `dev`,
# who can use sudo, in a login session) and `up.sh -w` (waits until the machine has booted). Prints
# PASS or FAIL for each check, and fails if any check does.
set -euo pipefail
hoist=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ssh() { "$LAB/ssh.sh" "$@"; }

# The checks, which run inside the machine. Usage: `said WHAT GOT WANTED`.
cat >"$work/checks.sh" <<'GUEST'
said() { if [ "$2" = "$3" ]; then echo "PASS $1"; else echo "FAIL $1: got [$2], want [$3]"; fi; }
run() { hoist run --rm --network none "$@" 2>&1; }
groups() { find /sys/fs/cgroup -type d -path '*hoist*' | grep -cE '/[0-9a-f]{64}'; }
until_true() { for i in $(seq 300); do ! eval "$1" || return 0; sleep 0.1; done; return 1; }

ends() {
    hoist run --rm --network none base true
    id=$(hoist run -d --network none base sleep 1000)
    said "a running container has its group" "$(groups)" 1
    hoist restart -t 0 "$id" >/dev/null && hoist stop -t 0 "$id" >/dev/null
    said "a stopped container has none" "$(groups)" 0
    hoist start "$id" >/dev/null && hoist rm -f "$id" >/dev/null
    said "a removed container has none" "$(groups)" 0
}

adoption() {
    id=$(hoist run -d --network none base sleep 1000)
    monitor=$(awk '/^PPid/ {print $2}' "/proc/$(hoist inspect -f '{{.State.Pid}}' "$id")/status")
    group=/sys/fs/cgroup$(sed -n s/^0:://p "/proc/$monitor/cgroup")
    kill -9 "$monitor" && hoist ps -q >/dev/null
    until_true '[ -n "$(cat "$group/cgroup.procs")" ]'
    said "an adopting monitor is in the group of the first one" "$(grep -cvx "$monitor" "$group/cgroup.procs")" 1
    said "an adopted container runs" "$(hoist inspect -f '{{.State.Status}}' "$id")" running
    hoist rm -f "$id" >/dev/null
}

own_groups() {
    id=$(hoist run -d --network none --privileged base sh -c '
        cd /sys/fs/cgroup && mkdir leaf && echo 1 >leaf/cgroup.procs &&
        for name in $(cat cgroup.controllers); do echo +$name >cgroup.subtree_control; done; echo made; exec sleep 1000')
    until_true 'hoist logs "$id" | grep -q made'
    said "exec where a container has groups of its own" \
        "$(hoist exec "$id" sh -c 'grep -c memory /sys/fs/cgroup/cgroup.subtree_control; grep ^0:: /proc/self/cgroup' 2>&1 | tr '\n' ' ')" "1 0::/leaf "
    hoist rm -f "$id" >/dev/null
}

# The name of the profile ends in digits derived from its text.
unversioned() {
    sed 's/-[0-9a-f]\{8\} / /'
}

confinement() {
    said "the default profile" "$(run base cat /proc/self/attr/current | unversioned)" "hoist-default (enforce)"
    said "the default profile, in exec" "$(id=$(hoist run -d --network none base sleep 1000); hoist exec "$id" cat /proc/self/attr/current | unversioned; hoist rm -f "$id" >/dev/null)" "hoist-default (enforce)"
    # util-linux remounts with mount_setattr(2), which AppArmor does not mediate.
    said "a remount with SYS_ADMIN" "$(run --cap-add SYS_ADMIN base sh -c 'mount -o remount,rw /proc/sys 2>/dev/null && echo done || echo denied')" denied
    said "the same in exec" "$(id=$(hoist run -d --network none --cap-add SYS_ADMIN base sleep 1000)
        hoist exec "$id" sh -c 'mount -o remount,rw /proc/sys 2>/dev/null && echo done || echo denied'; hoist rm -f "$id" >/dev/null)" denied
    said "the same unconfined" "$(run --cap-add SYS_ADMIN --security-opt apparmor=unconfined base sh -c 'mount -o remount,rw /proc/sys && echo done')" "done"
    host=$(find /dev -mindepth 1 \( -type c -o -type b \) -not -path '/dev/pts/*' -not -path '/dev/shm/*' | wc -l)
    inside=$(run --privileged base sh -c 'find /dev -type c -o -type b | grep -v ^/dev/pts/ | wc -l')
    said "devices of --privileged" "$([ "$inside" -ge $((host - 3)) ] && echo all)" all
}

circumstances() {
    said "nofile" "$(ulimit -n 500; run base sh -c 'ulimit -Sn; ulimit -Hn' | tr '\n' ' ')" "1024 524288 "
    said "umask" "$(umask 077; run base sh -c umask)" 0022
    said "out-of-memory score" "$(echo 500 >/proc/self/oom_score_adj; run base cat /proc/self/oom_score_adj)" 0
    said "ports of everybody" "$(run base cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" 0
    said "mount of the root" "$(run base sh -c 'head -1 /proc/self/mounts' | cut -d' ' -f1)" overlay
}

firewall() {
    id=$(hoist run -d base sleep 1000 2>/dev/null)
    rules() { nft list ruleset 2>/dev/null | grep -c hoist; }
    before=$(rules)
    nft flush ruleset
    said "the firewall is repaired" "$(until_true '[ "$(rules)" = "$before" ]' && [ "$before" != 0 ] && echo yes)" yes
    hoist rm -f "$id" >/dev/null
}

scopes() { # hoist oci --systemd-cgroup
    bundle=$(mktemp -d) && cd "$bundle" && mkdir rootfs
    id=$(hoist create --network none base) && hoist export "$id" | tar x -C rootfs && hoist rm "$id" >/dev/null
    hoist oci spec && python3 - <<'SPEC'
import json
spec = json.load(open("config.json"))
spec["process"].update(terminal=False, args=["sleep", "1000"])
spec["linux"]["cgroupsPath"] = "a-b.slice:test:c1"
spec["linux"]["resources"].update(memory={"limit": 67108864}, pids={"limit": 33}, cpu={"quota": 20000, "period": 50000, "cpus": "0"})
spec["annotations"] = {"org.systemd.property.TimeoutStopSec": "uint64 7"}
json.dump(spec, open("config.json", "w"))
SPEC
    group=/a.slice/a-b.slice/test-c1.scope
    hoist oci --systemd-cgroup run -d c1 </dev/null >/dev/null 2>&1
    shown() { systemctl show test-c1.scope --value -p "$1"; }
    said "a container in a scope" "$(shown ControlGroup) $(wc -l <"/sys/fs/cgroup$group/cgroup.procs")" "$group 1"
    said "its limits are systemd's" \
        "$(shown MemoryMax) $(shown TasksMax) $(shown CPUQuotaPerSecUSec) $(shown AllowedCPUs) $(shown TimeoutStopUSec)" "67108864 33 400ms 0 7s"
    hoist oci update --memory 33554432 --pids-limit 44 c1 && systemctl daemon-reload
    said "changed limits outlive a reload" "$(cat "/sys/fs/cgroup$group/memory.max" "/sys/fs/cgroup$group/pids.max" | tr '\n' ' ')" "33554432 44 "
    hoist oci update --cpu-period 100000 c1
    said "a new period keeps the quota" "$(cat "/sys/fs/cgroup$group/cpu.max") $(shown CPUQuotaPerSecUSec)" "20000 100000 200ms"
    hoist oci delete -f c1
    said "a deleted one leaves no scope" "$(systemctl show -p LoadState --value test-c1.scope) $([ -e "/sys/fs/cgroup$group" ] || echo gone)" "not-found gone"
    for pause in 0.05 0.1 0.15 0.2 0.3 0.4 0.6; do
        hoist oci --systemd-cgroup create c1 </dev/null >/dev/null 2>&1 & sleep $pause; kill -9 $! 2>/dev/null; wait $!
        hoist oci delete -f c1
        until_true '[ "$(systemctl show -p LoadState --value test-c1.scope)" = not-found ]' || echo "a scope is left"
    done 2>/dev/null
    said "a kill at any moment leaves no scope" "$(systemctl list-units --all 'test-c1*' --plain --no-legend | wc -l) $([ -e "/sys/fs/cgroup$group" ] || echo gone)" "0 gone"
    cd / && rm -r "$bundle"
}

nested() {
    said "hoist in a privileged container" \
        "$(run --privileged -v /usr/local/bin/hoist:/bin/hoist base sh -c \
            'mount -t tmpfs none /tmp && tar c -C / --one-file-system --exclude=./tmp --exclude=./bin/hoist . | hoist --root /tmp/r --run-root /tmp/n import - in >/dev/null && hoist --root /tmp/r --run-root /tmp/n run --rm --network none in sh -c "echo inner"' | tail -1)" inner
}

leave() { # containers of every kind, for the reboot
    hoist run -d --name stubborn --network none --stop-timeout 3 --restart always base sh -c 'trap "" TERM; while :; do sleep 1; done' >/dev/null
    hoist run -d --name own --network none --stop-signal USR1 base sh -c 'trap "echo usr1; exit 7" USR1; while :; do sleep 0.1; done' >/dev/null
    hoist run -d --name unless --network none --restart unless-stopped base sleep 1000 >/dev/null
    hoist run -d --name halted --network none --restart unless-stopped base sleep 1000 >/dev/null
    hoist stop -t 0 halted >/dev/null
}

back() { # after the reboot; $1: whether the units are installed
    state() { hoist inspect -f '{{.State.Status}} {{.State.ExitCode}}' "$1"; }
    [ "$1" = no ] || until_true '[ "$(state stubborn)" = "running 0" ] && [ "$(state unless)" = "running 0" ]'
    said "its own stop signal at the end ($1)" "$(state own) $(hoist logs own)" "exited 7 usr1"
    said "one that was stopped stays so ($1)" "$(state halted | cut -d' ' -f1)" exited
    if [ "$1" = units ]; then
        said "restart: always, at boot" "$(state stubborn)" "running 0"
        said "restart: unless-stopped, at boot" "$(state unless)" "running 0"
    else
        said "its own time to stop, then killed" "$(state stubborn)" "exited 137"
    fi
    boot=$(date -d "$(uptime -s)" +%s) finished=$(date -d "$(hoist inspect -f '{{.State.FinishedAt}}' own)" +%s)
    said "it finished before the boot ($1)" "$([ "$finished" -le "$boot" ] && echo yes)" yes
    hoist rm -f stubborn own unless halted >/dev/null
}
"$@"
GUEST

"$LAB/reset.sh"
tar c -C "$(dirname "$hoist")" --transform 's,.*/,,;s,^,/home/dev/,' "$(realpath "$hoist")" 2>/dev/null | ssh tar x -P -C / 
ssh "mv /home/dev/$(basename "$hoist") /home/dev/hoist; chown dev: /home/dev/hoist"
{
    # The first steps of a user.
    dev() { ssh -u dev "$@" 2>&1 || true; }
    check() { if [ "$2" = "$3" ]; then echo "PASS $1"; else echo "FAIL $1: got [$2], want [$3]"; fi; }
    check "version without root" "$(dev './hoist version | head -1')" "$(dev './hoist version | head -1' | grep -E '^(Client|hoist)')"
    check "info without root" "$(dev './hoist info >/dev/null 2>&1 && echo works')" works
    check "the README's way to keep it" "$(dev 'sudo install hoist /usr/local/bin/ && sudo hoist version >/dev/null && echo works')" works
    tar c -C "$work" checks.sh | ssh tar x -C /usr/local/bin
    ssh 'hoist image from-host -t base sh true env cat sleep grep find wc mount umount head ls mkdir tar >/dev/null'
    for group in ends adoption own_groups confinement circumstances firewall scopes nested; do
        # In a login session, as users do.
        dev "sudo bash /usr/local/bin/checks.sh $group"
    done
    for units in no units; do
        [ "$units" = no ] || ssh 'hoist system install >/dev/null'
        dev 'sudo bash /usr/local/bin/checks.sh leave'
        begin=$(date +%s)
        ssh reboot || true
        "$LAB/up.sh" -w >/dev/null 2>&1
        echo "  (the reboot took $(($(date +%s) - begin)) s)"
        dev "sudo bash /usr/local/bin/checks.sh back $units"
    done
} | tee "$work/said"
! grep -v -e ^PASS -e '^  (' "$work/said" >/dev/null
# Aborted checks do not report the remaining ones.
passed=$(grep -c ^PASS "$work/said" || true)
if [ "$passed" != 37 ]; then
    echo "FAIL $passed checks passed instead of 37"
    exit 1
fi
