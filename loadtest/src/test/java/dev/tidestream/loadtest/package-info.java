/** Tests of the load tool. */
@NullMarked
package dev.tidestream.loadtest;

import org.jspecify.annotations.NullMarked;
