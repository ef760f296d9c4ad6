#!/usr/bin/env bash
# How a CI job talks to Lakeshift, with bash, curl and jq alone. Variables and the way to use it: docs/ci.md.
#
#   deploy.sh plan SPEC      prints what would be done, as Markdown; starts nothing
#   deploy.sh deploy SPEC    prints it, starts it, and stays until it has ended or needs a person
#
# Exit codes, those of `lakeshift deploy`:
#     0  deployed, or what was asked for is done
#     1  the service could not be reached, or it made a mistake
#     2  refused: a bad spec, plan, order or command line; nothing happened
#     3  everything was taken back
#     4  waiting: for a person (an approval, or paused), or for a table that is taken
#     5  parked: it needs attention
#     6  still going on when the time was up
#   130  interrupted; what was started goes on in the service
set +x # a trace would show the token
set -euo pipefail

usage() {
  printf '%s\n' "$1" 'usage: deploy.sh plan|deploy SPEC.yaml (LAKESHIFT_API, LAKESHIFT_TOKEN; see docs/ci.md)' >&2
  finish refused 2
}

# finish NAME CODE: how it ended.
finish() {
  keep result.json jq -n --arg result "$1" --argjson exit "$2" --arg id "$id" --arg phase "$phase" --arg hash "$plan_hash" \
    '{result: $result, exit: $exit, id: $id, phase: $phase, planHash: $hash} | map_values(if . == "" then null else . end)'
  exit "$2"
}

# Seconds of 90s, 30m, 2h or 7d.
seconds_of() {
  case $1 in
    *[!0-9smhd]* | '' | [smhd]* | *[smhd]?* | *[0-9]) return 1 ;;
    *s) printf '%d' "$((10#${1%s}))" ;;
    *m) printf '%d' "$((10#${1%m} * 60))" ;;
    *h) printf '%d' "$((10#${1%h} * 3600))" ;;
    *d) printf '%d' "$((10#${1%d} * 86400))" ;;
  esac
}

# Who asks, as header lines: curl reads them from a pipe, so that the token stands in no list of processes.
identity() {
  if [ -n "${LAKESHIFT_TOKEN:-}" ]; then printf 'authorization: Bearer %s\n' "$LAKESHIFT_TOKEN"; fi
  if [ -n "${LAKESHIFT_ACTOR:-}" ]; then printf 'x-lakeshift-actor: %s\n' "$LAKESHIFT_ACTOR"; fi
}

# request PATIENCE METHOD PATH [curl's arguments]: leaves $status, and the answer in $work/body. While nobody answers, or
# the service asks for a later time, it asks again: every request here may be repeated, a start because of its key.
request() {
  local patience=$1 method=$2 path=$3 give_up=$((SECONDS + retry_for)) pause=1 failed wanted
  shift 3
  while :; do
    failed=0
    rm -f "$work/body" "$work/headers"
    touch "$work/body" "$work/headers"
    # in the background, because a signal is heard while bash waits for it, but not while it runs in front
    curl --silent --show-error --proto '=http,https' --connect-timeout 10 --max-time "$patience" \
      --request "$method" --header @<(identity) --output "$work/body" --dump-header "$work/headers" \
      --write-out '%{http_code}' "$@" "$api$path" >"$work/status" 2>"$work/error" &
    asking=$!
    wait "$asking" || failed=$?
    asking=''
    status=$(cat "$work/status")
    case $failed:$status in
      0:429 | 0:502 | 0:503 | 0:504) printf 'the service answered %s\n' "$status" >"$work/error" ;;
      0:*) return 0 ;;
      # an address that is none, or a certificate that is not trusted, will not become better
      1:* | 2:* | 3:* | 60:* | 77:*) unreachable ;;
    esac
    if [ "$SECONDS" -ge "$give_up" ]; then unreachable; fi
    wanted=$(header retry-after)
    case $wanted in '' | *[!0-9]* | ????*) wanted=0 ;; esac
    if [ "$wanted" -gt "$pause" ]; then pause=$wanted; fi
    if [ "$pause" -gt 15 ]; then pause=15; fi
    printf 'no answer (%s); asking again in %s s\n' "$(tr '\n' ' ' <"$work/error")" "$pause" >&2
    sleep "$pause"
    pause=$((pause * 2))
  done
}

stopped() {
  if [ -n "$asking" ]; then kill "$asking" 2>/dev/null || true; fi
  printf 'stopped; what was started goes on in the service\n' >&2
  finish interrupted 130
}

unreachable() {
  printf '%s could not be reached: %s\n' "$api" "$(tr '\n' ' ' <"$work/error")" >&2
  if [ -s "$work/body" ]; then problem >&2; fi
  if [ -n "${id:-}" ]; then printf '%s goes on in the service\n' "$id" >&2; fi
  finish failed 1
}

# One header of the last answer, or nothing.
header() {
  tr -d '\r' <"$work/headers" | awk -v name="$1:" 'tolower($1) == name { value = $2 } END { print value }'
}

is_problem() { [ "$(jq -r 'type == "object" and (.code | type == "string")' "$work/body" 2>/dev/null)" = true ]; }

# The problem document that was answered, as Markdown: an indented block, in which nothing means anything.
problem() {
  if ! is_problem; then
    printf '%s answered %s without a problem document: is it a Lakeshift service?\n' "$api" "$status"
    return
  fi
  jq -r '
    def plain: tostring | explode | map(if . < 32 or . == 127 then 32 else . end) | implode;
    def near: if .didYouMean == null then "" else . as $e | if ($e.detail | contains($e.didYouMean)) then "" else " Did you mean \($e.didYouMean)?" end end;
    "**\(.code | plain)**", "",
    ( [.detail // .title]
      + [.errors[]? | (if .pointer == "" then "(whole)" else .pointer end) + "  " + .detail + near]
      + [.findings[]? | "\(.level)  \(.code)  \(.detail)"]
      + (if .holder == null then [] else ["held by \(.holder)"] end)
      + (if .instance == null then [] else ["request \(.instance)"] end)
      | .[] | "    " + plain )' "$work/body"
}

# Ends with what the service has said against it.
refused() {
  keep problem.md problem
  problem >&2
  case $status in
    4??) if is_problem; then finish refused 2; fi ;;
  esac
  finish failed 1
}

# keep FILE COMMAND: keeps what the command prints for the steps that follow, in the folder LAKESHIFT_OUT if there is one.
keep() {
  local file=$1
  shift
  if [ -n "${LAKESHIFT_OUT:-}" ]; then "$@" >"$LAKESHIFT_OUT/$file"; fi
}

# Prints the plan and leaves its hash in $plan_hash; fails when the service is against it.
plan() {
  request 60 POST /v1/plans --header 'accept: text/markdown' --header "content-type: $type" --data-binary "@$spec"
  if [ "$status" != 200 ]; then return 1; fi
  plan_hash=$(header plan-hash)
  keep plan.md cat "$work/body"
  cat "$work/body"
}

# start [HASH]: starts the deployment by the plan of this hash, or meets the one that this very request has started.
start() {
  local headers=(--header "content-type: $type")
  if [ -n "$key" ]; then headers+=(--header "idempotency-key: $key"); fi
  if [ -n "${1:-}" ]; then headers+=(--header "plan-hash: $1"); fi
  request 120 POST /v1/deployments "${headers[@]}" --data-binary "@$spec"
}

# Starts what was shown. A job that runs again may find the target as its first run has left it, so that no plan can be
# made: then the start finds what that run has begun, or is refused for the same reasons.
start_or_meet() {
  local shown=$1
  start "$shown"
  if [ "$status" = 409 ] && [ -z "${LAKESHIFT_PLAN_HASH:-}" ] && [ "$(jq -r '.code?' "$work/body")" = KEY_REUSED ]; then
    start '' # its first run has shown another plan, and was cut off while that was being started
  fi
  case $status in 200 | 201) ;; *) refused ;; esac
  id=$(jq -r .status.id "$work/body")
  phase=$(jq -r .status.phase "$work/body")
  plan_hash=$(jq -r .status.planHash "$work/body")
  if [ "$status" = 201 ]; then
    printf 'started %s by the plan %s\n' "$id" "$plan_hash"
  else
    printf 'this very request had started %s before, by the plan %s\n' "$id" "$plan_hash"
  fi
  case ${LAKESHIFT_PLAN_HASH:-$plan_hash} in
    "$plan_hash") ;;
    *)
      printf 'that is not the plan %s; another LAKESHIFT_KEY starts anew\n' "$LAKESHIFT_PLAN_HASH" >&2
      finish refused 2
      ;;
  esac
}

# What is known of a deployment in one line, and in one word how the job ends; the word is empty while it goes on.
look='
  def stage_of: {checking: "preflight", expanding: "expand", backfilling: "backfill", building: "build", verifying: "verify",
    "cutting-over": "cutover", "in-grace": "grace", contracting: "contract"}[.];
  .status as $s | $s.progress as $p
  | ($for | stage_of) as $stage
  | ([$p.stages[].name] | index($stage // "")) as $index
  | (if $s.phase == $for or ($index != null and $p.direction == "forward" and $p.at > $index) then "ok"
    elif $s.phase == "deployed" then "ok"
    elif $s.phase == "rolled-back" then "rolledBack"
    elif $s.phase == "refused" then "refused"
    elif $for == "ended" then ""
    elif $s.phase == "waiting-for-approval" or $s.phase == "paused" then "waiting"
    elif $s.phase == "needs-attention" then "attention"
    else "" end) as $how
  | def plain: tostring | explode | map(if . < 32 or . == 127 then 32 else . end) | implode;
    ([ $s.phase,
      (if $s.stage == null then "" else "stage \($s.stage)" end),
      ($p.parked // {} | if .code == null then "" else "\(.code): \(.detail)" end),
      ($p.waitingFor.detail // ""),
      (if $p.outcome == null then $p.because // "" else $p.outcome.because end)
    ] | map(select(. != "")) | join(" · ")) as $line
  | $s.phase, $how, (.seq // ""), ($line | plain)'

# Stays with the deployment, a line for each change, and ends as it does.
stay() {
  local query='' seq='' before='' line='' shown='' end='' left
  while :; do
    request 75 GET "/v1/deployments/$id$query"
    if [ "$status" != 200 ]; then refused; fi
    before=$seq
    { read -r phase && read -r end && read -r seq && read -r line; } < <(jq -r --arg for "$wait_for" "$look" "$work/body") ||
      { printf '%s answered what cannot be read\n' "$api" >&2 && finish failed 1; }
    if [ "$line" != "$shown" ]; then printf '%s  %s\n' "$(date -u +%H:%M:%S)" "$line"; fi
    shown=$line
    if [ -n "$end" ]; then end_as "$end"; fi
    left=$((deadline - SECONDS))
    if [ "$left" -le 0 ]; then
      printf '%s is still going on after %s\n' "$id" "$timeout" >&2
      finish timedOut 6
    fi
    if [ "$seq" = "$before" ]; then sleep 1; fi
    query="?wait=$((left < 30 ? left : 30))s&for=change${seq:+&after=$seq}"
  done
}

end_as() {
  case $1 in
    ok) finish ok 0 ;;
    refused)
      jq -r '.status.progress.findings[]? | "  \(.level)  \(.code)  \(.detail)"' "$work/body" >&2
      finish refused 2
      ;;
    rolledBack) finish rolledBack 3 ;;
    waiting)
      printf 'for a person: lakeshift show %s\n' "$id" >&2
      finish waiting 4
      ;;
    attention) finish attention 5 ;;
  esac
}

id='' phase='' plan_hash='' status='' asking=''
for program in curl jq; do
  if [ -z "$(command -v "$program")" ]; then
    printf '%s is not installed\n' "$program" >&2
    exit 2
  fi
done
if [ -n "${LAKESHIFT_OUT:-}" ]; then mkdir -p "$LAKESHIFT_OUT"; fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'stopped' INT TERM

command=${1:-} spec=${2:-}
api=${LAKESHIFT_API:-}
api=${api%/}
wait_for=${LAKESHIFT_WAIT_FOR:-person}
timeout=${LAKESHIFT_TIMEOUT:-1h}
case $command in plan | deploy) ;; *) usage "no command $command" ;; esac
if [ ! -f "$spec" ]; then usage "there is no file $spec"; fi
case $spec in *.json) type=application/json ;; *) type=application/yaml ;; esac
case $api in http://?* | https://?*) ;; *) usage 'LAKESHIFT_API must be an address such as https://lakeshift.example' ;; esac
case ${LAKESHIFT_TOKEN:-} in *[![:graph:]]*) usage 'LAKESHIFT_TOKEN holds a blank or a line break' ;; esac
case ${LAKESHIFT_ACTOR:-} in *[![:graph:]]*) usage 'LAKESHIFT_ACTOR holds a blank or a line break' ;; esac
within=$(seconds_of "$timeout") || usage "LAKESHIFT_TIMEOUT must be 90s, 30m, 2h or 7d, not $timeout"
retry_for=$(seconds_of "${LAKESHIFT_RETRY_FOR:-5m}") || usage 'LAKESHIFT_RETRY_FOR must be 90s, 30m, 2h or 7d'
deadline=$((SECONDS + within))
case ${LAKESHIFT_PLAN_HASH:-} in *[!0-9a-f]*) usage 'LAKESHIFT_PLAN_HASH must be the 64 hex digits of a plan' ;; esac

# One commit and one spec are one deployment, however often the job runs. Without a commit the service takes the spec alone.
commit=${LAKESHIFT_COMMIT:-${GITHUB_SHA:-${CI_COMMIT_SHA:-${BUILDKITE_COMMIT:-${CIRCLE_SHA1:-${GIT_COMMIT:-}}}}}}
key=${LAKESHIFT_KEY:-${commit:+ci-$commit-$(cksum <"$spec" | tr ' ' '-')}}
case $key in *[![:graph:]]*) usage 'LAKESHIFT_KEY must be visible characters without a blank' ;; esac

case $wait_for in
  started | person | ended) ;;
  *)
    request 30 GET /v1/catalog
    if [ "$status" != 200 ]; then refused; fi
    jq -e --arg for "$wait_for" '.phases | index($for)' "$work/body" >/dev/null ||
      usage "LAKESHIFT_WAIT_FOR must be started, person, ended or one of $(jq -r '.phases | join(", ")' "$work/body"), not $wait_for"
    ;;
esac

if [ "$command" = plan ]; then
  if plan; then finish ok 0; else refused; fi
fi
if [ -n "${LAKESHIFT_PLAN_HASH:-}" ]; then
  start_or_meet "$LAKESHIFT_PLAN_HASH"
elif plan; then
  start_or_meet "$plan_hash"
else
  start_or_meet ''
fi
if [ "$wait_for" = started ]; then finish ok 0; fi
stay
