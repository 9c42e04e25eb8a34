/**
 * A cluster on paper: the router and the schedulers of many workers, driven by one virtual clock over a model that computes nothing and
 * takes as long as was measured. One thread; the same configuration gives the same figures.
 */
@NullMarked
package dev.tidestream.server.bench.cluster;

import org.jspecify.annotations.NullMarked;
