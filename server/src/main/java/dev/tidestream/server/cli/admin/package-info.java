/**
 * {@code admin}: commands for administrators of a running server, and their client.
 */
@NullMarked
package dev.tidestream.server.cli.admin;

import org.jspecify.annotations.NullMarked;
