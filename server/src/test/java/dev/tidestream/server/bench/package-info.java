@NullMarked
package dev.tidestream.server.bench;

import org.jspecify.annotations.NullMarked;
