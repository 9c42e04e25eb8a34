/**
 * {@code receipt}: commands for those who have a receipt. They need no model.
 */
@NullMarked
package dev.tidestream.server.cli.receipt;

import org.jspecify.annotations.NullMarked;
