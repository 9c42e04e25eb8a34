/** HTTP between the nodes of a cluster: on a port of its own, and only for who knows the cluster's secret. Knows nothing of ours. */
@NullMarked
package dev.tidestream.server.cluster.peer;

import org.jspecify.annotations.NullMarked;
