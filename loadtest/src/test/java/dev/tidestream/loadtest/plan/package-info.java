/** Tests of the load tool. */
@NullMarked
package dev.tidestream.loadtest.plan;

import org.jspecify.annotations.NullMarked;
