/**
 * How fast this machine reads memory with vector loads: what a kernel that reads every weight once cannot exceed. For benchmarks.
 *
 * <p>Any thread, and the team that is passed in. No kernel uses it.
 */
@NullMarked
package dev.tidestream.model.kernels.vector.bandwidth;

import org.jspecify.annotations.NullMarked;
