#!/bin/sh
# The network on one page: both nodes, the queue, the broker.
set -u

value() {
    redis-cli -p "$1" "$2" "$3" 2>/dev/null | tr -d '\r' || :
}

broker() {
    busybox wget -q -O - "http://127.0.0.1:$COORDINATOR_MONITOR_PORT/varz" 2>/dev/null |
        sed -n "s/^ *\"$1\": \([0-9]*\),*\$/\1/p"
}

row() {
    printf '<tr><td>%s<td>%s\n' "$1" "${2:-does not answer}"
}

link=$(value "$NODE_2_PORT" info replication | sed -n 's/^master_link_status:/link /p')
printf 'Content-Type: text/html; charset=utf-8\r\n\r\n'
echo '<!doctype html><title>Network</title><h1>Network</h1><table>'
row "blockchain_node_1, height" "$(value "$NODE_1_PORT" get height)"
row "blockchain_node_2, height" "$(value "$NODE_2_PORT" get height)"
row "blockchain_node_2, replication" "$link"
row "claims waiting" "$(value "$NODE_1_PORT" llen claims)"
row "network_coordinator, messages" "$(broker in_msgs)"
echo '</table>'
