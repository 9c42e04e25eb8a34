/** Tests of the load tool. */
@NullMarked
package dev.tidestream.loadtest.figures;

import org.jspecify.annotations.NullMarked;
