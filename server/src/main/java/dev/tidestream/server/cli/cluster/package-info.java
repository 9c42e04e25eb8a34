/**
 * The commands {@code cluster …}.
 */
@NullMarked
package dev.tidestream.server.cli.cluster;

import org.jspecify.annotations.NullMarked;
