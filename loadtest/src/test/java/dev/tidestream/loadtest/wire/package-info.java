@NullMarked
package dev.tidestream.loadtest.wire;

import org.jspecify.annotations.NullMarked;
