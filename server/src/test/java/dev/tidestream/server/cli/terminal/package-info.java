@NullMarked
package dev.tidestream.server.cli.terminal;

import org.jspecify.annotations.NullMarked;
