/** The commands for the file of API keys. */
@NullMarked
package dev.tidestream.server.cli.keys;

import org.jspecify.annotations.NullMarked;
