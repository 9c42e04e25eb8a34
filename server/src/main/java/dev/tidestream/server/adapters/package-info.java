/**
 * The adapters that are served, by name: loading and unloading under running streams, within limits, and who computes with which.
 * Knows neither Vert.x nor Reactor.
 */
@NullMarked
package dev.tidestream.server.adapters;

import org.jspecify.annotations.NullMarked;
