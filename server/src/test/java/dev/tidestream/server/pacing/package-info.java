@NullMarked
package dev.tidestream.server.pacing;

import org.jspecify.annotations.NullMarked;
