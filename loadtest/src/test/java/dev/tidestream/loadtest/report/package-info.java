/** Tests of the load tool. */
@NullMarked
package dev.tidestream.loadtest.report;

import org.jspecify.annotations.NullMarked;
