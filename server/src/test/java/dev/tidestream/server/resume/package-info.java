@NullMarked
package dev.tidestream.server.resume;

import org.jspecify.annotations.NullMarked;
