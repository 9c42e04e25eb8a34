/** Keys, their file and their limits. */
@NullMarked
package dev.tidestream.server.keys;

import org.jspecify.annotations.NullMarked;
