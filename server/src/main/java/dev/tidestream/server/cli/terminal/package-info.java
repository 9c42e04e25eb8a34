/**
 * What commands print: bars, tables, JSON, sizes; and how they refuse values.
 */
@NullMarked
package dev.tidestream.server.cli.terminal;

import org.jspecify.annotations.NullMarked;
