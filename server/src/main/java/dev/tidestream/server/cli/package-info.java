@NullMarked
package dev.tidestream.server.cli;

import org.jspecify.annotations.NullMarked;
