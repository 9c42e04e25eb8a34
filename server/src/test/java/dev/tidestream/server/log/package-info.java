/** Tests of what the log writes. */
@NullMarked
package dev.tidestream.server.log;

import org.jspecify.annotations.NullMarked;
