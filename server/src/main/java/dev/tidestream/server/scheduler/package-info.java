/**
 * Continuous batching: admission, chunked prefill, KV-cache pool. Knows neither Vert.x nor Reactor; touched by the decode thread only.
 */
@NullMarked
package dev.tidestream.server.scheduler;

import org.jspecify.annotations.NullMarked;
