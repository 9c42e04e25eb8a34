/** Tests of versions that are tried. */
@NullMarked
package dev.tidestream.server.canary;

import org.jspecify.annotations.NullMarked;
