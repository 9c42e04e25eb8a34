/**
 * What is compiled before somebody waits for it: kernels while the model is loaded, streams before the server is ready, the rest while
 * nobody streams.
 */
@NullMarked
package dev.tidestream.server.warmup;

import org.jspecify.annotations.NullMarked;
