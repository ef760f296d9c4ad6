#!/usr/bin/env bash
# The usual recipe: bring the idle side up, wait for it, point the Service at it, take the old side down.
set -euo pipefail
service=$1 old=$2 new=$3 image=$4 replicas=$5

kubectl set image "deployment/$new" "app=$image"
kubectl scale "deployment/$new" --replicas="$replicas"
kubectl rollout status "deployment/$new" --timeout=5m
kubectl patch service "$service" --patch "{\"spec\":{\"selector\":{\"app\":\"$new\"}}}"
kubectl scale "deployment/$old" --replicas=0
