@NullMarked
package dev.tidestream.server.cli.bench;

import org.jspecify.annotations.NullMarked;
