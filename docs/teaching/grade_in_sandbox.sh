#!/bin/sh
# Grade an assignment with each student's code shut in: no network, another user, nothing to read or to spoil, limits.
#
#   sudo sh docs/teaching/grade_in_sandbox.sh COURSE ASSIGNMENT [STUDENT ...]
#
# COURSE is what `jaalnet assignment` made; submissions lie in COURSE/submitted/STUDENT/ASSIGNMENT. Runs each submission
# that has no result or is newer than its result; named students are run again. Each runs alone, in a folder without
# solutions, grades or another student's work, and all its processes end with it. Its executed notebooks come back to
# COURSE/executed; their outputs are then scored outside, where no student's code runs.
#
# Linux, as root, with util-linux (unshare, setpriv, prlimit, mount) and iproute2 (ip).
set -eu

PYTHON=${PYTHON:-$(dirname "$0")/../../.venv/bin/python} # of the environment with nbgrader and this package
GRADER=${GRADER:-nobody}                                 # the user that runs students' code
MINUTES=${MINUTES:-15}                                   # on the clock, a student
MEMORY=${MEMORY:-8589934592}                             # bytes of address space a process
FILE=${FILE:-104857600}                                  # bytes a file
PROCESSES=${PROCESSES:-256}                              # processes and threads
SCRATCH=${SCRATCH:-512m}                                 # of /tmp

stop() {
    echo "grade_in_sandbox: $*" >&2
    exit 1
}

# Run by this script itself, as root in namespaces of its own: what is mounted here, nobody outside sees.
inside() {
    box=$1 assignment=$2 student=$3 course=$4
    user=$(id -u "$GRADER") group=$(id -g "$GRADER")
    ip link set lo up || stop "the loopback device does not come up; nbgrader talks to its kernel over it"
    stage=$(dirname "$box")
    mount --bind "$box" "$box" # a mount of its own: it stays writable below
    project=$("$PYTHON" -c 'import jaalnet_core, pathlib; print(pathlib.Path(jaalnet_core.__file__).resolve().parents[1])')
    environment=$("$PYTHON" -c 'import sys; print(sys.prefix)')
    interpreter=$("$PYTHON" -c 'import sys; print(sys.base_prefix)')
    for name in project environment interpreter; do
        eval "folder=\$$name"
        mkdir "$stage/$name"
        mount --bind "$folder" "$stage/$name"
    done
    for hidden in /home /root "$course"; do
        [ ! -d "$hidden" ] || mount -t tmpfs -o mode=755,size=1m tmpfs "$hidden"
    done
    for private in /tmp /var/tmp /dev/shm; do
        [ ! -d "$private" ] || mount -t tmpfs -o "mode=1777,size=$SCRATCH" tmpfs "$private"
    done
    for name in project environment interpreter; do # back again, where they were hidden
        eval "folder=\$$name"
        mkdir -p "$folder"
        mount --bind "$stage/$name" "$folder"
        umount "$stage/$name"
    done
    for solutions in "$project/notebooks" "$project/.git"; do
        [ ! -d "$solutions" ] || mount -t tmpfs -o mode=755,size=1m tmpfs "$solutions"
    done
    mount -o remount,bind,ro /
    cd "$box"
    env -i PATH="$(dirname "$PYTHON"):/usr/bin:/bin" HOME="$box/home" LANG=C.UTF-8 JUPYTER_NO_CONFIG=1 \
        OMP_NUM_THREADS="${OMP_NUM_THREADS:-2}" \
        setpriv --reuid="$user" --regid="$group" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \
        prlimit --as="$MEMORY" --fsize="$FILE" --nproc="$PROCESSES" --core=0 --cpu=$((MINUTES * 60)) \
        "$PYTHON" -m nbgrader autograde "$assignment" --student "$student"
}

run_one() {
    student=$1
    stage=$(mktemp -d /run/jaalnet-sandbox.XXXXXX)
    box=$stage/box
    mkdir -p "$box/home" "$box/submitted/$student"
    chmod 755 "$stage"
    cp "$course/nbgrader_config.py" "$blank/gradebook.db" "$box"
    cp -RP "$course/submitted/$student/$assignment" "$box/submitted/$student"
    find "$box/submitted" -type l -delete # a link could lead anywhere
    chown -R "$GRADER:" "$box"
    done=yes
    timeout -s KILL "${MINUTES}m" unshare --mount --net --pid --ipc --uts --fork --kill-child --mount-proc \
        sh "$script" --inside "$box" "$assignment" "$student" "$course" > "$stage/log" 2>&1 || done=no
    result=$box/autograded/$student/$assignment
    executed=$course/executed/$student/$assignment
    rm -rf "$executed"
    mkdir -p "$executed"
    for notebook in "$course/source/$assignment"/*.ipynb; do
        name=$(basename "$notebook")
        if [ $done = yes ] && [ -f "$result/$name" ] && [ ! -L "$result/$name" ]; then
            head -c "$FILE" "$result/$name" > "$executed/$name"
        else
            done=no
        fi
    done
    if [ $done = yes ]; then
        for name in timestamp.txt submission_secret.txt; do # the exchange asks for them when feedback is released
            kept=$course/submitted/$student/$assignment/$name
            [ ! -f "$kept" ] || [ -L "$kept" ] || cp "$kept" "$executed"
        done
        echo "$student: run"
    else
        mv "$stage/log" "$course/executed/$student/$assignment.log"
        rm -rf "$executed"
        echo "$student: no result; see $course/executed/$student/$assignment.log" >&2
        failed="$failed $student"
    fi
    rm -rf "$stage"
}

# Students' outputs become grades: locked cells are put back, nothing is run, outputs are kept.
score() {
    cd "$course"
    "$PYTHON" -m nbgrader autograde "$assignment" --student "$1" --force --log-level=WARN \
        --CourseDirectory.submitted_directory=executed \
        --Autograde.sanitize_preprocessors="['nbgrader.preprocessors.DeduplicateIds', \
            'nbgrader.preprocessors.OverwriteKernelspec', 'nbgrader.preprocessors.OverwriteCells', \
            'nbgrader.preprocessors.CheckCellMetadata']" \
        --Autograde.autograde_preprocessors="['nbgrader.preprocessors.IgnorePattern', \
            'nbgrader.preprocessors.LimitOutput', 'nbgrader.preprocessors.SaveAutoGrades', \
            'nbgrader.preprocessors.AssignLatePenalties', 'nbgrader.preprocessors.CheckCellMetadata']"
}

is_due() {
    [ ! -d "$course/executed/$1/$assignment" ] ||
        [ -n "$(find "$course/submitted/$1/$assignment" -newer "$course/executed/$1/$assignment" -type f)" ]
}

script=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
PYTHON=$(cd "$(dirname "$PYTHON")" && pwd)/$(basename "$PYTHON")
PATH=$(dirname "$PYTHON"):$PATH # nbgrader calls alembic by its name
export PATH PYTHON GRADER MINUTES MEMORY FILE PROCESSES SCRATCH
if [ "${1:-}" = --inside ]; then
    shift
    inside "$@"
    exit
fi

[ $# -ge 2 ] || stop "expected COURSE ASSIGNMENT [STUDENT ...]"
[ "$(id -u)" = 0 ] || stop "only root can shut a process in like this; run it with sudo"
for tool in unshare setpriv prlimit mount ip timeout; do
    command -v $tool > /dev/null || stop "no $tool here; it comes with util-linux, iproute2 or coreutils"
done
course=$(cd "$1" && pwd) assignment=$2
shift 2
[ -d "$course/source/$assignment" ] || stop "$course/source/$assignment: found nothing, expected an assignment"
[ -f "$course/gradebook.db" ] || stop "$course: no gradebook; nbgrader generate_assignment $assignment makes it"
if [ $# = 0 ]; then
    for folder in "$course/submitted"/*/"$assignment"; do
        student=$(basename "$(dirname "$folder")")
        [ ! -d "$folder" ] || ! is_due "$student" || set -- "$@" "$student"
    done
fi

blank=$(mktemp -d) # a gradebook that knows the assignment and no student
trap 'rm -rf "$blank"' EXIT
cp "$course/nbgrader_config.py" "$blank"
mkdir "$blank/source"
cp -R "$course/source/$assignment" "$blank/source"
(cd "$blank" && "$PYTHON" -m nbgrader generate_assignment "$assignment" --log-level=WARN)
failed=""
for student in "$@"; do
    run_one "$student"
    case " $failed " in *" $student "*) ;; *) (score "$student") ;; esac
done
[ -z "$failed" ] || stop "no result for$failed"
