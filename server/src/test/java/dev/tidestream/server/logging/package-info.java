@NullMarked
package dev.tidestream.server.logging;

import org.jspecify.annotations.NullMarked;
