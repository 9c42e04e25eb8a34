/**
 * Options that several commands have.
 */
@NullMarked
package dev.tidestream.server.cli.options;

import org.jspecify.annotations.NullMarked;
