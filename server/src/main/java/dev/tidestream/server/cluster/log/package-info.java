/**
 * The replicated log of weight versions: an Apache Ratis group of three or five keepers that agree on small manifests. What a manifest
 * names by its SHA-256 is in {@code cluster.blob}. Loaded by nodes of a cluster alone. Knows neither models nor the update log.
 */
@NullMarked
package dev.tidestream.server.cluster.log;

import org.jspecify.annotations.NullMarked;
