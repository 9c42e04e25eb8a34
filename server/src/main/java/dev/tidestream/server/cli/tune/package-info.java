/**
 * {@code tune}: fine-tunes a small model and pushes what it learns to a running server. Reads texts, writes checkpoints, talks to the
 * admin channel; what is computed is the business of {@code model.tuning}. The caller's thread.
 */
@NullMarked
package dev.tidestream.server.cli.tune;

import org.jspecify.annotations.NullMarked;
