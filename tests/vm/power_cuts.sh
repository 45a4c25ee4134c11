#!/bin/bash
# Repeatedly cuts the power of a virtual machine while hoist works in it, and checks that nothing
# that was reported as done is lost.
#
#   LAB=/path/to/lab tests/vm/power_cuts.sh path/to/hoist [CUTS]
#
# LAB contains `reset.sh` (resets the machine), `ssh.sh COMMAND` (as root) and `powercut.sh -a
# SECONDS` (kills the machine after this time, and boots it again with the same disk). Prints a line
# for each cut, and fails at the first loss.
set -euo pipefail
hoist=$1 cuts=${2:-10}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ssh() { "$LAB/ssh.sh" "$@"; }

# Runs inside the machine, and reports an action only after hoist has done so.
cat >"$work/work.sh" <<'GUEST'
n=$1
archive() { # an image of one layer that no other has, as `docker save` writes it
    d=$(mktemp -d); head -c 300000 /dev/urandom >"$d/file"; tar c -C "$d" file >"$d/layer.tar"
    id=$(sha256sum <"$d/layer.tar" | cut -d' ' -f1)
    echo "{\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:$id\"]}}" >"$d/config.json"
    echo "[{\"Config\":\"config.json\",\"RepoTags\":[\"$1\"],\"Layers\":[\"layer.tar\"]}]" >"$d/manifest.json"
    tar c -C "$d" manifest.json config.json layer.tar; rm -rf "$d"
}
unnamed() { # an image that has only its id
    head -c 300000 /dev/urandom >/tmp/file
    tar c -C /tmp file >/tmp/layer.tar && hoist import /tmp/layer.tar
}
for i in $(seq 1000); do
    k=$n-$i before=$n-$((i - 1)) old=${new:-}
    hoist create --name "c$k" base true >/dev/null && echo "container c$k"
    hoist image from-host -t "h$k" env >/dev/null 2>&1 && echo "image h$k"
    archive "l$k" >/tmp/archive.tar && hoist load -q -i /tmp/archive.tar >/dev/null && echo "image l$k"
    new=$(unnamed) && echo "image $new"
    hoist run --network none --name "r$k" base true && echo "ended r$k"
    hoist run --network none --rm --name "t$k" base true && echo "temporary t$k"
    # An action in progress when the power is cut may or may not be done.
    echo "maybe c$k"
    hoist rename "c$k" "d$k" && echo "gone c$k" && echo "container d$k"
    hoist tag "h$k" "g$k" && echo "image g$k"
    [ "$i" != 1 ] || continue
    echo "maybe d$before" && hoist rm "d$before" >/dev/null && echo "gone d$before"
    echo "maybe l$before" && hoist rmi "l$before" >/dev/null && echo "absent l$before"
    # Removes one of two names, and an image without a name.
    echo "maybe g$before" && hoist rmi "g$before" >/dev/null && echo "absent g$before"
    echo "maybe $old" && hoist rmi "$old" >/dev/null && echo "absent $old"
done
GUEST

"$LAB/reset.sh"
tar c -C "$(dirname "$hoist")" "$(basename "$hoist")" -C "$work" work.sh | ssh tar x -C /usr/local/bin
ssh hoist image from-host -t base sh true env >/dev/null
: >"$work/told"
for ((cut = 1; cut <= cuts; cut++)); do
    ssh sh /usr/local/bin/work.sh "$cut" >"$work/new" 2>"$work/errors" &
    client=$!
    "$LAB/powercut.sh" -a "$((4 + RANDOM % 14)).$((RANDOM % 10))"
    wait "$client" || true
    # A truncated line does not count as reported.
    [ -z "$(tail -c 1 "$work/new")" ] || sed -i '$d' "$work/new"
    cat "$work/new" >>"$work/told"
    ssh "hoist ps -a --no-trunc --format '{{.Names}} {{.Status}}'" >"$work/containers"
    ssh "hoist images --no-trunc --format '{{.Repository}} {{.ID}}'" >"$work/images"
    lost=$(awk '
        FILENAME ~ /containers$/ { there[$1] = 1; if ($2 ~ /^Exited/ && $3 == "(0)") ended[$1] = 1 }
        FILENAME ~ /images$/ { image[$1] = image[$2] = 1 }
        FILENAME ~ /told$/ {
            if ($1 == "container" || $1 == "ended") want[$2] = $1
            if ($1 == "maybe") { delete want[$2]; delete wanted[$2] }
            if ($1 == "gone") bad_if_there[$2] = 1
            if ($1 == "image") wanted[$2] = 1
            if ($1 == "absent") bad_if_image[$2] = 1
        }
        END {
            for (n in want) { if (!there[n]) print "lost container", n; if (want[n] == "ended" && !ended[n]) print "lost exit", n }
            for (n in bad_if_there) if (there[n]) print "back again", n
            for (n in wanted) if (!image[n]) print "lost image", n
            for (n in bad_if_image) if (image[n]) print "back again", n
        }' "$work/containers" "$work/images" "$work/told")
    damaged=$(ssh hoist info | grep '^WARNING' || true)
    last=$(awk '$1 == "image" && $2 ~ /^h/ { name = $2 } END { print name }' "$work/told")
    [ -z "$last" ] || ssh hoist run --rm --network none "$last" env >/dev/null || lost+=" cannot run $last"
    echo "cut $cut: $(wc -l <"$work/new") told, $(wc -l <"$work/containers") containers, $(wc -l <"$work/images") images"
    if [ -n "$lost$damaged" ]; then
        printf '%s\n%s\n' "$lost" "$damaged"
        cat "$work/errors"
        exit 1
    fi
done
echo "nothing that was told is lost"
