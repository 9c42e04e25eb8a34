/**
 * What is measured, and the page that Prometheus reads. Recording is wait-free and allocates nothing, on the threads of those
 * who record; reading is for any thread. Knows Micrometer, the Prometheus model, HdrHistogram and {@code model.tied}; no other
 * room of the server, no Vert.x, no Reactor. Nobody else knows Micrometer; HdrHistogram is known to {@code bench}, too.
 */
@NullMarked
package dev.tidestream.server.metrics;

import org.jspecify.annotations.NullMarked;
