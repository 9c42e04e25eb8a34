@NullMarked
package dev.tidestream.server.scheduler.fair;

import org.jspecify.annotations.NullMarked;
