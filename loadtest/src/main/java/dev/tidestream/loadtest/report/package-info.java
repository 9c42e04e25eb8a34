/** A finished run as text, JSON and HTML. Must not import wire or run. */
@NullMarked
package dev.tidestream.loadtest.report;

import org.jspecify.annotations.NullMarked;
