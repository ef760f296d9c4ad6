#!/usr/bin/env bash
# What the action does: examples/ci/deploy.sh, then outputs, the job's summary, and on pull requests one comment.
set +x # a trace would show the tokens
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
# A comment has room for 65,536 characters.
longest=60000

mistake() {
  printf '::error title=Lakeshift::%s\n' "$1"
  exit 2
}

command_of_event() {
  case ${GITHUB_EVENT_NAME:-} in
    pull_request | pull_request_target) printf 'plan' ;;
    push) printf 'deploy' ;;
    *) return 1 ;;
  esac
}

# One value of how it went, or nothing; only letters, digits and dashes, which are no further line of a file of outputs.
result() { jq -r --arg name "$1" '.[$name] // ""' "$out/result.json" 2>/dev/null | tr -cd 'A-Za-z0-9-'; }

# What people read: the plan, what the service has against it, and where the deployment is.
page() {
  local id
  id=$(result id)
  printf '## Lakeshift: %s\n\n' "$name"
  if [ -s "$out/plan.md" ]; then cat "$out/plan.md"; fi
  if [ -s "$out/problem.md" ]; then printf '\nThe service has answered:\n\n' && cat "$out/problem.md"; fi
  if [ -n "$id" ]; then printf '\nDeployment `%s`: %s\n' "$id" "$(result phase)"; fi
  if [ ! -s "$out/plan.md" ] && [ ! -s "$out/problem.md" ]; then
    printf '\nNo plan was made (exit code %s); the log of the job says why.\n' "$exit_code"
  fi
}

# github METHOD ADDRESS [curl's arguments]: the answer goes to $out/answer, its headers to $out/headers.
github() {
  local method=$1 address=$2 retries=3
  shift 2
  # an answer that was lost must not make a second comment
  if [ "$method" = POST ]; then retries=0; fi
  curl --silent --show-error --fail --proto '=http,https' --retry "$retries" --connect-timeout 10 --max-time 30 --request "$method" \
    --header @<(printf 'authorization: Bearer %s\n' "$COMMENT_TOKEN") \
    --header 'accept: application/vnd.github+json' --header 'x-github-api-version: 2022-11-28' \
    --output "$out/answer" --dump-header "$out/headers" "$@" "$address"
}

# The address of the next page, from the header Link; only one of the same API gets the token.
next_page() {
  tr -d '\r' <"$out/headers" | grep -i '^link:' | tr ',' '\n' | sed -n 's/.*<\([^>]*\)>; *rel="next".*/\1/p' | while read -r next; do
    case $next in "$GITHUB_API_URL"/*) printf '%s' "$next" ;; esac
  done
}

# The address of our own comment, or nothing. By its author too: anybody may write the marker into a comment of theirs.
own_comment() {
  local address="$repository/issues/$number/comments?per_page=100" found
  while [ -n "$address" ]; do
    github GET "$address" || return 1
    found=$(jq -r --arg marker "$marker" --arg author "$COMMENT_AUTHOR" \
      'map(select(.user.login == $author and (.body // "" | startswith($marker)))) | .[0].id // ""' "$out/answer")
    if [ -n "$found" ]; then
      printf '%s/issues/comments/%s' "$repository" "$found"
      return
    fi
    address=$(next_page || true)
  done
}

# Writes the page as the one comment of this spec. Whoever may not write it, as on a pull request from a fork, still has
# the summary of the job.
write_comment() {
  local repository="$GITHUB_API_URL/repos/$GITHUB_REPOSITORY" number marker address method=PATCH
  number=$(jq -r '.pull_request.number // .number // ""' "$GITHUB_EVENT_PATH" | tr -cd '0-9')
  if [ -z "$number" ]; then return; fi
  marker="<!-- lakeshift plan $(printf '%s' "$SPEC" | cksum | tr ' ' '-') -->"
  if ! address=$(own_comment); then
    printf '::warning title=Lakeshift::the comments of the pull request cannot be read\n'
    return
  fi
  if [ -z "$address" ]; then
    address="$repository/issues/$number/comments" method=POST
  fi
  { printf '%s\n' "$marker" && page; } | jq -Rs --argjson longest "$longest" \
    '{body: (if length > $longest then .[:$longest] + "\n\nCut here; the summary of the job has all of it." else . end)}' \
    >"$out/comment.json"
  github "$method" "$address" --header 'content-type: application/json' --data-binary "@$out/comment.json" ||
    printf '::warning title=Lakeshift::the comment cannot be written: the token needs pull-requests: write\n'
}

command=${COMMAND:-$(command_of_event || true)}
case $command in
  plan | deploy) ;;
  '') mistake 'say command: plan or command: deploy; only pull requests and pushes say it themselves' ;;
  *) mistake 'the input command must be plan or deploy' ;;
esac
case $COMMENT in true | false) ;; *) mistake 'the input comment must be true or false' ;; esac
# The spec's path as text: what stands between backticks means nothing to Markdown.
name="\`$(printf '%s' "$SPEC" | tr -d '`\r\n')\`"

# Whatever is printed of the spec shall be text in the log, and no command of the runner.
stop=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
printf '::stop-commands::%s\n' "$stop"
exit_code=0
LAKESHIFT_OUT="$out" bash "$here/../../examples/ci/deploy.sh" "$command" "$SPEC" || exit_code=$?
printf '\n::%s::\n' "$stop"

printf 'id=%s\nphase=%s\nplan-hash=%s\n' "$(result id)" "$(result phase)" "$(result planHash)" >>"$GITHUB_OUTPUT"
page >>"$GITHUB_STEP_SUMMARY"
if [ "$command" = plan ] && [ "$COMMENT" = true ]; then
  case ${GITHUB_EVENT_NAME:-} in pull_request | pull_request_target) write_comment ;; esac
fi
exit "$exit_code"
